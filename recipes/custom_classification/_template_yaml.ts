import {
  nonNegativeNumber,
  oneOf,
  positiveInteger,
  positiveNumber,
  wholeNumber,
} from "../../lib/errors/check_options.ts";
import { basename } from "node:path";
import type { Check, Fields } from "../_check_fields.ts";

/** A setting that a user may change from outside. */
interface Extra {
  name?: string;
  param?: string;
  type?: string;
  default?: string;
}

/** `template.yaml`: what the model is, and what the programs take where they are told nothing. */
export interface TemplateYaml {
  name?: string;
  domain?: string;
  problem?: string;
  framework?: string;
  summary?: string;
  annotation_format?: string;
  /** Name of the file with the first weights, in the folder. */
  initial_weights?: string;
  /** Where files of the folder come from. */
  dependencies?: { source?: string; destination?: string; size?: number; sha256?: string }[];
  max_nodes?: number;
  training_target?: string[];
  inference_target?: string[];
  hyper_parameters?: {
    basic?: { batch_size?: number; base_learning_rate?: number; epochs?: number };
    extra?: { custom_classes?: Extra; aux_model_weights?: Extra };
  };
  output_format?: {
    onnx?: { default?: boolean };
    openvino?: { default?: boolean; input_format?: "BGR" | "RGB" };
  };
  /** How the trained model can be made smaller; `~`: not at all. */
  optimisations?: OptimisationsYaml | null;
  metrics?: { display_name?: string; key?: string; unit?: string; value?: number }[];
  gpu_num?: number;
  tensorboard?: boolean;
  /** Name of the model's file. */
  config?: string;
}

/** Under `optimisations`. */
interface OptimisationsYaml {
  nncf_quantization?: { default?: boolean };
}

const text: Check = (option, value) =>
  typeof value === "string" ? undefined : { option, found: value, wanted: "a text", wrongType: true };
const yesNo: Check = (option, value) =>
  typeof value === "boolean" ? undefined : { option, found: value, wanted: "True or False", wrongType: true };
const texts: Check = (option, value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string")
    ? undefined
    : { option, found: value, wanted: "a list of texts", wrongType: true };
/** The name of a file of the folder: it may not lead out of it. */
const fileName: Check = (option, value) =>
  typeof value === "string" && value !== "" && value === basename(value) && !/^\.+$|\\/.test(value)
    ? undefined
    : { option, found: value, wanted: "the name of a file in this folder", wrongType: false };
const sha256: Check = (option, value) =>
  typeof value === "string" && /^[0-9a-f]{64}$/.test(value)
    ? undefined
    : { option, found: value, wanted: "64 hexadecimal digits", wrongType: false };
const channelOrder: Check = (option, value) => oneOf(option, value, ["BGR", "RGB"]);
const extra: Fields<Extra> = { name: text, param: text, type: text, default: text };

/** `~`, or the one optimisation there is. */
const optimisations: Check = (option, value) => {
  if (value === null) return undefined;
  const wanted = "~, or nncf_quantization: { default: false }";
  const { nncf_quantization: quantization, ...others } = value as OptimisationsYaml;
  const fits = typeof value === "object" && Object.keys(others).length === 0 &&
    typeof quantization?.default === "boolean";
  return fits ? undefined : { option, found: value, wanted, wrongType: true };
};

/** What fits each key. */
export const templateFields: Fields<TemplateYaml> = {
  name: text,
  domain: text,
  problem: text,
  framework: text,
  summary: text,
  annotation_format: text,
  initial_weights: fileName,
  dependencies: [{ source: text, destination: fileName, size: positiveInteger, sha256 }],
  max_nodes: positiveInteger,
  training_target: texts,
  inference_target: texts,
  hyper_parameters: {
    basic: { batch_size: positiveInteger, base_learning_rate: positiveNumber, epochs: positiveInteger },
    extra: { custom_classes: extra, aux_model_weights: extra },
  },
  output_format: { onnx: { default: yesNo }, openvino: { default: yesNo, input_format: channelOrder } },
  optimisations: optimisations as Fields<OptimisationsYaml> & Check, // may be null, which no mapping may
  metrics: [{ display_name: text, key: text, unit: text, value: nonNegativeNumber }],
  gpu_num: wholeNumber,
  tensorboard: yesNo,
  config: fileName,
};
