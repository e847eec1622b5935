// Runs in the browser: what is seen of the outputs of the notebook that is open.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const size = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return { width: Math.round(width), height: Math.round(height) };
  };
  return {
    // Drawn by plotly's extension: pictures until the mouse comes.
    figures: all(".jp-RenderedPlotly .plot-img").map(size),
    pictures: all(".jp-RenderedHTML img").map((image) => {
      return { isDrawn: image.complete && image.naturalWidth > 0, ...size(image) };
    }),
    tables: all(".jp-OutputArea-output table").length,
    errors: all(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").length,
    // Outputs that are wider than their place.
    cutOff: all(".jp-OutputArea-output").filter((output) => output.scrollWidth > output.clientWidth + 1)
      .map((output) => output.innerText.slice(0, 80)),
  };
})();
