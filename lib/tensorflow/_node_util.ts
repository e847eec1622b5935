import util from "node:util";

// tfjs-node 4.22 calls two functions that Node 23 and Deno removed. They must be back before its modules load, so this
// module is imported first.
const removed = util as unknown as Record<string, (value: unknown) => boolean>;
removed.isNullOrUndefined ??= (value) => value === null || value === undefined;
removed.isArray ??= Array.isArray;
