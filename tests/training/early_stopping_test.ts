import assert from "node:assert/strict";
import { createEarlyStopping, updateEarlyStopping } from "../../lib/training/early_stopping.ts";

const { earlyStopping }: {
  earlyStopping: {
    top1: number[];
    patience: number;
    stopsAt: number | null;
    best: number;
    waited: number[];
  }[];
} = JSON.parse(Deno.readTextFileSync(new URL("../oracles/training/schedules.json", import.meta.url)));

Deno.test("updateEarlyStopping() stops when torch's ReduceLROnPlateau of the same patience would act", () => {
  for (const { top1: values, patience, stopsAt, best, waited } of earlyStopping) {
    let state = createEarlyStopping();
    for (const [epoch, top1] of values.entries()) {
      state = updateEarlyStopping(state, { epoch, top1 }, patience);
      assert.equal(state.epochsWithoutImprovement, waited[epoch]);
      assert.equal(state.stop, epoch === stopsAt);
      if (state.stop) break;
    }
    assert.equal(state.bestTop1, best);
    assert.equal(state.bestEpoch, values.indexOf(best));
  }
});

Deno.test("updateEarlyStopping() goes on from a state that was saved", () => {
  const { top1: values, patience, stopsAt } = earlyStopping.find((found) =>
    found.stopsAt !== null && found.stopsAt > 5
  )!;
  let state = createEarlyStopping();
  for (let epoch = 0; epoch <= stopsAt!; epoch++) {
    state = JSON.parse(JSON.stringify(updateEarlyStopping(state, { epoch, top1: values[epoch] }, patience)));
  }
  assert.equal(state.stop, true);
});

Deno.test("updateEarlyStopping() never stops without a patience, and keeps the best", () => {
  let state = createEarlyStopping();
  for (let epoch = 0; epoch < 1000; epoch++) {
    state = updateEarlyStopping(state, { epoch, top1: 1 / (epoch + 1) });
  }
  assert.deepEqual(state, { bestTop1: 1, bestEpoch: 0, epochsWithoutImprovement: 999, stop: false });
});

Deno.test("updateEarlyStopping() begins to wait anew for what improves, and keeps the best of all", () => {
  let state = updateEarlyStopping(createEarlyStopping(), { epoch: 0, top1: 0.7 }, 2);
  state = updateEarlyStopping(state, { epoch: 1, top1: 0.3 }, 2);
  state = updateEarlyStopping(state, { epoch: 2, top1: 0.5, improves: true }, 2);
  assert.deepEqual(state, { bestTop1: 0.7, bestEpoch: 0, epochsWithoutImprovement: 0, stop: false });
});

Deno.test("updateEarlyStopping() leaves the state it was given alone", () => {
  const state = Object.freeze(createEarlyStopping());
  updateEarlyStopping(state, { epoch: 0, top1: 0.5 }, 3);
  assert.equal(state.bestEpoch, -1);
});

Deno.test("updateEarlyStopping() refuses a patience or a top-1 out of range", () => {
  assert.throws(() => updateEarlyStopping(createEarlyStopping(), { epoch: 0, top1: 0.5 }, 0), {
    name: "RangeError",
    message: "Cannot stop early: found patience 0, wanted a whole number of at least 1",
  });
  assert.throws(() => updateEarlyStopping(createEarlyStopping(), { epoch: 3, top1: NaN }, 2), {
    name: "RangeError",
    message: "Cannot stop early: found top-1 NaN in epoch 3, wanted a number from 0 to 1",
  });
});
