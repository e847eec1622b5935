import { bf16Unavailable } from "../../lib/onednn/availability.ts";
import type { Configuration } from "./options.ts";

/** How a contestant is called on the command line and in the results. */
export type ContestantId = typeof contestantIds[number];

/** All contestants, in the order of tables and plots. */
export const contestantIds = [
  "onednn",
  "onednn-bf16",
  "tensorflow",
  "pytorch",
  "pytorch-tuned",
  "keras",
] as const;

/** How a contestant is called where people read. */
export const contestantLabels: Readonly<Record<ContestantId, string>> = {
  "onednn": "Whittle, oneDNN",
  "onednn-bf16": "Whittle, oneDNN, bf16",
  "tensorflow": "Whittle, TensorFlow",
  "pytorch": "PyTorch",
  "pytorch-tuned": "PyTorch, tuned malloc",
  "keras": "Keras",
};

/** The Pythons that run the peers. */
export interface Pythons {
  /** With torch and timm. */
  readonly torch: string;
  /** With Keras and TensorFlow. */
  readonly keras: string;
}

/** What pip installs for Keras; TensorFlow is of the version whose library Whittle uses. */
export const kerasPackages = ["keras", "tensorflow-cpu==2.21.0"] as const;

/** glibc settings that keep PyTorch from returning memory to the system between steps. */
const tunedMalloc = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "-1",
  MALLOC_TOP_PAD_: "268435456",
};

/** Of the networks in `keras.applications`, those that are measured. */
const kerasModels = [
  "mobilenetv3_small_100",
  "mobilenetv3_large_075",
  "mobilenetv3_large_100",
  "efficientnet_b0",
];

/**
 * Whether a contestant has a network: Keras has no EfficientNet-Lite0.
 *
 * @param id The contestant.
 * @param model timm's id.
 */
export function hasModel(id: ContestantId, model: string): boolean {
  return id !== "keras" || kerasModels.includes(model);
}

/**
 * Whether a contestant can compute on this machine: bf16 needs a processor with AMX.
 *
 * @param id The contestant.
 */
export function canCompute(id: ContestantId): boolean {
  return id !== "onednn-bf16" || bf16Unavailable() === undefined;
}

/**
 * The program of a contestant. It takes a first step, prints a line of JSON with its versions, and then measures each
 * time a line with the fewest steps and the least seconds comes in.
 *
 * @param id The contestant.
 * @param configuration What it measures.
 * @param pythons The peers' Pythons.
 * @returns How it is started.
 */
export function contestantCommand(
  id: ContestantId,
  { model, batchSize, size, threads }: Configuration,
  pythons: Pythons,
): { program: string; args: string[]; env: Record<string, string> } {
  const file = (name: string) => new URL(`../${name}`, import.meta.url).pathname;
  const args = [model, `${batchSize}`, `${size}`];
  switch (id) {
    case "onednn":
    case "onednn-bf16":
    case "tensorflow":
      return {
        program: Deno.execPath(),
        args: ["run", "-A", "--no-check", file("train_whittle.ts"), ...args, id],
        env: {
          OMP_NUM_THREADS: `${threads}`,
          TF_NUM_INTRAOP_THREADS: `${threads}`,
          TF_NUM_INTEROP_THREADS: `${threads}`,
          TF_CPP_MIN_LOG_LEVEL: "2",
        },
      };
    case "pytorch":
    case "pytorch-tuned":
      return {
        program: pythons.torch,
        args: [file("peers/train_timm.py"), ...args, `${threads}`],
        env: id === "pytorch" ? {} : tunedMalloc,
      };
    case "keras":
      return {
        program: pythons.keras,
        args: [file("peers/train_keras.py"), ...args, `${threads}`],
        env: { KERAS_BACKEND: "tensorflow", TF_CPP_MIN_LOG_LEVEL: "2" },
      };
  }
}
