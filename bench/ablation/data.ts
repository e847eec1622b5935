import { fashionMNIST } from "../../lib/data/datasets/fashion_mnist.ts";
import { emojiPictures } from "../../lib/data/datasets/emoji.ts";
import type { Dataset, DatasetSplits } from "../../lib/data/dataset.ts";
import { split } from "../../lib/data/split.ts";
import { type DataName, sizes } from "./runs.ts";

const opened = new Map<DataName, DatasetSplits & { test: Dataset }>();

/** The pictures of a data set that all runs have. */
export async function openData(name: DataName): Promise<DatasetSplits & { test: Dataset }> {
  const known = opened.get(name);
  if (known !== undefined) return known;
  const { imageSize, pictures: { train, validation, test }, emojiPicturesPerClass, pictureSeed } = sizes;
  const all = name === "fashion"
    ? await fashionMNIST()
    : await emojiPictures({ size: imageSize, picturesPerClass: emojiPicturesPerClass });
  const part = (set: Dataset, count: number) =>
    count >= set.samples.length
      ? set
      : split(set, { validation: count / set.samples.length, seed: pictureSeed }).validation;
  const data = {
    ...all,
    train: part(all.train, train),
    validation: part(all.validation, validation),
    test: part(all.test!, test),
  };
  opened.set(name, data);
  return data;
}
