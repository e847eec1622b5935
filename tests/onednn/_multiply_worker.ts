import { multiply } from "./_multiply.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<string>) => void;
  postMessage: (answer: unknown) => void;
};
scope.onmessage = async ({ data: path }) => scope.postMessage(await multiply(path));
