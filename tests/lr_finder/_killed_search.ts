/** A run that begins with a search and ends itself with SIGKILL in the second trial. */
import { fineTune } from "../../lib/fine_tune.ts";
import { shapeSplits } from "../training/_shapes.ts";

const options = JSON.parse(Deno.args[0]!);
await fineTune("mobilenetv3_small_100", shapeSplits({ train: 8, validation: 4 }), {
  ...options,
  onEvent: (event) => {
    if (event.type === "search-epoch" && event.trial === 1) Deno.kill(Deno.pid, "SIGKILL");
  },
});
