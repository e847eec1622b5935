import type { Preprocessing } from "../data/preprocessing.ts";
import type { IRLayers, IRValue } from "./_ir_layers.ts";

/** Names of Pillow's filters in OpenVINO. */
const modes = { bilinear: "bilinear_pillow", bicubic: "bicubic_pillow" } as const;

/**
 * Adds a resize that is Pillow's, which the networks are trained with: across, then down, and after each the values are
 * whole numbers from 0 to 255 again.
 *
 * @param layers Where to.
 * @param pictures Raw values `[batch, 3, any height, any width]`.
 * @param preprocessing Size and kernel.
 * @param name Beginning of the layers' names.
 * @returns The same pictures `[batch, 3, height, width]`.
 */
export function addResize(
  layers: IRLayers,
  pictures: IRValue,
  { size, interpolation }: Preprocessing,
  name: string,
): IRValue {
  let value = pictures;
  for (const [words, axis, length] of [["across", 3, size.width], ["down", 2, size.height]] as const) {
    const shape = value.shape.map((old, index) => index === axis ? length : old);
    const output = { type: "f32", shape } as const;
    const stage = `${name}/${words}`;
    const target = layers.addConstant(`${stage}/size`, "i64", [1], BigInt64Array.of(BigInt(length)));
    const axes = layers.addConstant(`${stage}/axes`, "i64", [1], BigInt64Array.of(BigInt(axis)));
    const resized = layers.add({
      name: stage,
      type: "Interpolate",
      opset: 11,
      data: {
        mode: modes[interpolation],
        shape_calculation_mode: "sizes",
        coordinate_transformation_mode: "half_pixel",
        nearest_mode: "round_prefer_floor",
        antialias: false,
        pads_begin: "0, 0, 0, 0",
        pads_end: "0, 0, 0, 0",
        cube_coeff: -0.5,
      },
      inputs: [value, target, axes],
      output,
    });
    const data = { min: 0, max: 255 };
    const clipped = layers.add({
      name: `${stage}/clip`,
      type: "Clamp",
      opset: 1,
      data,
      inputs: [resized],
      output,
    });
    const mode = { mode: "half_away_from_zero" };
    value = layers.add({
      name: `${stage}/round`,
      type: "Round",
      opset: 5,
      data: mode,
      inputs: [clipped],
      output,
    });
  }
  return value;
}
