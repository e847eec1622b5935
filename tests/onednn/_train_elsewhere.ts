/** Takes the training steps of `train_step_test.ts` in a process of its own and prints the digest of the state. */
import { startTeam } from "../../lib/onednn/team.ts";
import { OneDNNFunction } from "../../lib/onednn/onednn_function.ts";
import "../../lib/tensorflow/backend.ts";
import { createTraining, digest, trainingInputs } from "./_training.ts";

const { id, sizes, steps } = JSON.parse(Deno.args[0]!);
const { graph, variables } = createTraining(id, sizes);
await startTeam();
const step = new OneDNNFunction(graph, variables, "a test");
for (let index = 0; index < steps; index++) await step.run(trainingInputs(index, sizes));
console.log(await digest(await step.read()));
Deno.exit(0);
