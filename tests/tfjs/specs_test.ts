/** Runs the test suite tfjs-core publishes against Whittle's binding; see README.md beside this file. */
import assert from "node:assert/strict";
import expectedFailures from "./expected_failures.json" with { type: "json" };
import { runSpecs, type SpecResult } from "./_run_specs.ts";

/** Suites of the operators that models, losses, metrics and optimisers are made of, and of the engine around them. */
const reliedOn = [
  // Engine: memory, scopes, gradients, tensors
  ..."memory,tidy,disposeVariables,gradients,valueAndGradients,higher-order gradients,customGradient".split(
    ",",
  ),
  ..."gradient registry,backpropagateGradients,tensor,tensor.data,variable,clone,x instanceof Variable".split(
    ",",
  ),
  // Shapes
  ..."slice1d,slice2d,slice3d,slice4d,stridedSlice,transpose,concat1d,concat2d,concat3d,pad".split(
    ",",
  ),
  ..."gather,reverse,oneHot,broadcastTo,eye,fill,zeros,ones,zerosLike,onesLike,range,linspace".split(","),
  // Arithmetic and comparison
  ..."add,addN,sub,mul,div,pow,neg,abs,square,squaredDifference,sqrt,rsqrt,exp,expm1,log,log1p".split(","),
  ..."maximum,minimum,mod,floor,floorDiv,ceil,round,reciprocal,clipByValue,sin,cos,tanh,erf".split(","),
  ..."greater,greaterEqual,less,lessEqual,logicalAnd,logicalOr,logicalNot,isNaN,isFinite,where".split(","),
  // Reductions
  ..."sum,mean,max,min,prod,all,any,argmax,argmin,topk,moments,logSumExp,norm,cumsum".split(","),
  // Networks
  ..."matmul,dot,conv2d,depthwiseConv2D,depthwiseConv2d gradients,separableConv2d,relu,relu6,elu".split(","),
  ..."sigmoid,softplus,softmax,logSoftmax,logSigmoid,batchNorm2D,batchNorm4D".split(","),
  ..."resizeBilinear,resizeNearestNeighbor,flipLeftRight".split(","),
  // Losses and optimisers
  ..."softmaxCrossEntropy,sigmoidCrossEntropy,meanSquaredError,SGDOptimizer,MomentumOptimizer".split(","),
];

let running: Promise<SpecResult[]> | undefined;
/** The results; Jasmine runs once in a process. */
const results = () => running ??= runSpecs();

// The specs leave timers and mocks behind.
const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test("tfjs's specs fail where expected_failures.json says so, and nowhere else", options, async () => {
  const failed = (await results()).filter(({ status }) => status === "failed");
  const listed = expectedFailures.flatMap(({ specs }) => specs);
  const unexpected = failed.filter(({ name }) => !listed.includes(name.trim()))
    .map(({ name, messages }) => `${name}\n    ${messages.join("\n    ")}`);
  assert.deepEqual(unexpected, [], "specs that fail and are not listed");

  const certain = expectedFailures.flatMap(({ dependsOnCPU, specs }) => dependsOnCPU ? [] : specs);
  const names = failed.map(({ name }) => name.trim()).filter((name) => certain.includes(name));
  assert.deepEqual(certain.filter((name) => !names.includes(name)), [], "specs that are listed and pass");
  assert.deepEqual(names.toSorted(), certain.toSorted()); // some names stand for two specs
});

Deno.test("tfjs's specs run whole", options, async () => {
  const run = (await results()).filter(({ status }) => status !== "pending");
  assert.equal(run.length, 4225);
});

Deno.test("tfjs's specs of the operators Whittle relies on pass to 99 %", options, async () => {
  const suites = reliedOn.map((suite) => `${suite} test-tensorflow`);
  const relied = (await results()).filter(({ name }) => suites.some((suite) => name.startsWith(suite)));
  const failed = relied.filter(({ status }) => status === "failed");
  const missing = suites.filter((suite) => !relied.some(({ name }) => name.startsWith(suite)));
  assert.deepEqual(missing, [], "suites without a spec");
  assert.ok(relied.length > 1000, `${relied.length} specs`);
  assert.ok(failed.length <= 0.01 * relied.length, `${failed.length} of ${relied.length} failed`);
});
