/** How a learning rate is searched before a run. */
export interface SearchSettings {
  readonly mode?: "tpe" | "grid_search" | "fast_ai";
  readonly minLearningRate?: number;
  readonly maxLearningRate?: number;
  readonly step?: number;
  readonly epochs?: number;
  readonly trials?: number;
  readonly warmUpEpochs?: number;
  readonly smoothing?: number;
  readonly savefig?: string;
  readonly stopAfter?: boolean;
}
