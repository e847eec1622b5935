/**
 * The part of a canvas that plotly's heatmap uses: filled rectangles and pixels in, a PNG data URL out. With it a
 * figure needs no native canvas package.
 */
import { crc32, deflateSync } from "node:zlib";
import { Buffer } from "node:buffer";
import { textWidth } from "./_font.ts";

/**
 * Turns an element into a canvas: gives it `width`, `height`, `getContext("2d")` and `toDataURL()`.
 *
 * @param element The element that `document.createElement("canvas")` made.
 * @returns The same element.
 */
// deno-lint-ignore no-explicit-any
export function asTinyCanvas(element: any): unknown {
  let width = 300, height = 150;
  let pixels: Uint8ClampedArray | undefined;
  const buffer = () => pixels ??= new Uint8ClampedArray(width * height * 4);
  const dimension = (get: () => number, set: (value: number) => void) => ({
    get,
    set: (value: number) => {
      set(Math.trunc(value));
      pixels = undefined; // setting a size clears a canvas
    },
    configurable: true,
  });
  Object.defineProperty(element, "width", dimension(() => width, (value) => width = value));
  Object.defineProperty(element, "height", dimension(() => height, (value) => height = value));

  const context = {
    canvas: element,
    fillStyle: "rgba(0,0,0,1)",
    fillRect(x: number, y: number, w: number, h: number) {
      const [red, green, blue, alpha] = parseColor(this.fillStyle);
      const right = Math.min(width, Math.round(x + w)), bottom = Math.min(height, Math.round(y + h));
      const data = buffer();
      for (let row = Math.max(0, Math.round(y)); row < bottom; row++) {
        for (let column = Math.max(0, Math.round(x)); column < right; column++) {
          data.set([red, green, blue, alpha * 255], 4 * (row * width + column));
        }
      }
    },
    createImageData: (w: number, h: number) => ({
      width: w,
      height: h,
      data: new Uint8ClampedArray(w * h * 4),
    }),
    getImageData: () => ({ width, height, data: buffer() }),
    putImageData(image: { data: Uint8ClampedArray }) {
      buffer().set(image.data.subarray(0, width * height * 4));
    },
    clearRect() {
      pixels = undefined;
    },
    measureText: (text: string) => ({ width: textWidth(text, 12, false) }),
  };
  element.getContext = (kind: string) => kind === "2d" ? context : null;
  element.toDataURL = () => "data:image/png;base64," + encodePng(width, height, buffer()).toString("base64");
  return element;
}

function parseColor(style: string): [number, number, number, number] {
  const numbers = /rgba?\(([^)]+)\)/.exec(style)?.[1]?.split(",").map(Number) ?? [];
  return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0, numbers[3] ?? 1];
}

/** Encodes RGBA pixels as PNG; synchronous, because `toDataURL` is. */
function encodePng(width: number, height: number, rgba: Uint8ClampedArray): Buffer {
  const rowBytes = width * 4;
  const raw = Buffer.alloc((rowBytes + 1) * height); // each row starts with its filter type: 0, none
  for (let row = 0; row < height; row++) {
    raw.set(rgba.subarray(row * rowBytes, (row + 1) * rowBytes), row * (rowBytes + 1) + 1);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6], 8); // 8 bits a channel, RGBA
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(raw)),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, "latin1");
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}
