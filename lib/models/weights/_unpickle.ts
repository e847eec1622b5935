/** A Python tuple. */
export class Tuple {
  /** Its items, in order. */
  constructor(readonly items: readonly Pickled[]) {}
}

/** What a pickle may hold here: dicts are Maps, lists are arrays; `object` is what the caller's builders made. */
export type Pickled = null | boolean | number | bigint | string | Tuple | object;

/** Stands in for a Python callable: gets the arguments of a call, returns what to put in its place. */
export type Builder = (args: readonly Pickled[]) => Pickled;

/** What a pickle is allowed to reach. */
export interface UnpickleOptions {
  /** The stand-in of a Python name such as `collections.OrderedDict`, or `undefined` to refuse it. */
  findBuilder(dottedName: string): Builder | undefined;
  /** Resolves an id that lives outside the pickle. */
  persistentLoad(id: Pickled): Pickled;
}

/** The file is whole, but holds what must not be read: a name that {@linkcode UnpickleOptions.findBuilder} refuses. */
export class UnwantedContentError extends SyntaxError {}

const mark = Symbol("mark");
type Slot = Pickled | typeof mark;

/**
 * Reads one pickle (protocols 0 to 5, binary opcodes) with a parser that never imports or calls anything: every
 * name that the pickle mentions must have a stand-in.
 *
 * @param bytes bytes that hold a pickle
 * @param start where it starts
 * @param options names and outside ids that the pickle may use
 * @returns the value, and the offset of the byte after the pickle
 * @throws {UnwantedContentError} at the first name without a stand-in, before anything is built from it
 * @throws {SyntaxError} for a malformed or cut-off pickle, or an opcode that plain data does not need
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  options: UnpickleOptions,
): { value: Pickled; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const builders = new Map<Builder, string>(); // the builders that this pickle named, to tell them from data
  const stack: Slot[] = [];
  const memo = new Map<number, Slot>();
  let at = start;

  const take = (count: number): number => {
    if (count > bytes.length - at) throw new SyntaxError("the pickle is cut off");
    at += count;
    return at - count;
  };
  const u1 = () => bytes[take(1)];
  const u2 = () => view.getUint16(take(2), true);
  const u4 = () => view.getUint32(take(4), true);
  const u8 = (): number => {
    const length = view.getBigUint64(take(8), true);
    if (length > BigInt(bytes.length)) throw new SyntaxError("the pickle is cut off");
    return Number(length);
  };
  const blob = (length: number): Uint8Array => bytes.subarray(take(length), at);
  const text = (length: number): string => utf8.decode(blob(length));
  const line = (): string => {
    const stop = bytes.indexOf(0x0a, at);
    if (stop < 0) throw new SyntaxError("the pickle is cut off");
    const found = text(stop - at);
    at++;
    return found;
  };
  const pop = (): Pickled => {
    const top = stack.pop();
    if (top === undefined || top === mark) throw new SyntaxError("the pickle takes more than it stacked");
    return top as Pickled;
  };
  const popToMark = (): Pickled[] => {
    const from = stack.lastIndexOf(mark);
    if (from < 0) throw new SyntaxError("the pickle has no mark where one is needed");
    const items = stack.splice(from).slice(1);
    return items as Pickled[];
  };
  const top = <T>(type: abstract new (...args: never[]) => T, what: string): T => {
    const value = stack.at(-1);
    if (!(value instanceof type)) {
      throw new SyntaxError(`the pickle adds items to something that is no ${what}`);
    }
    return value;
  };
  const setItems = (items: Pickled[]): void => {
    const target = top(Map, "dict");
    if (items.length % 2 !== 0) throw new SyntaxError("the pickle has a dict key without a value");
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  };
  const named = (dottedName: string): Builder => {
    const builder = options.findBuilder(dottedName);
    if (builder === undefined) {
      throw new UnwantedContentError(`it wants "${dottedName}", which is neither a tensor nor plain data`);
    }
    // One object per name: data can never pose as a callable, and the name stays known for messages.
    const own: Builder = (args) => builder(args);
    Object.defineProperty(own, "name", { value: dottedName });
    builders.set(own, dottedName);
    return own;
  };
  const call = (callee: Pickled, args: Pickled): Pickled => {
    if (typeof callee !== "function" || !builders.has(callee as Builder)) {
      throw new SyntaxError("the pickle calls something that is no callable");
    }
    if (!(args instanceof Tuple)) throw new SyntaxError("the pickle calls without a tuple of arguments");
    return (callee as Builder)(args.items);
  };
  const put = (index: number): void => {
    if (stack.length === 0) throw new SyntaxError("the pickle remembers an empty stack");
    memo.set(index, stack[stack.length - 1]);
  };
  const get = (index: number): void => {
    if (!memo.has(index)) throw new SyntaxError(`the pickle recalls entry ${index}, which it never stored`);
    stack.push(memo.get(index)!);
  };

  const opcodes: Record<number, () => void> = {
    0x80: () => void u1(), // PROTO
    0x95: () => void u8(), // FRAME
    0x28: () => void stack.push(mark), // MARK
    0x30: () => void (stack.at(-1) === mark ? stack.pop() : pop()), // POP
    0x31: () => void popToMark(), // POP_MARK
    0x32: () => { // DUP
      const value = pop();
      stack.push(value, value);
    },
    0x4e: () => void stack.push(null), // NONE
    0x88: () => void stack.push(true), // NEWTRUE
    0x89: () => void stack.push(false), // NEWFALSE
    0x4b: () => void stack.push(u1()), // BININT1
    0x4d: () => void stack.push(u2()), // BININT2
    0x4a: () => void stack.push(view.getInt32(take(4), true)), // BININT
    0x8a: () => void stack.push(toInteger(blob(u1()))), // LONG1
    0x8b: () => void stack.push(toInteger(blob(u4()))), // LONG4
    0x47: () => void stack.push(view.getFloat64(take(8), false)), // BINFLOAT
    0x58: () => void stack.push(text(u4())), // BINUNICODE
    0x8c: () => void stack.push(text(u1())), // SHORT_BINUNICODE
    0x8d: () => void stack.push(text(u8())), // BINUNICODE8
    0x54: () => void stack.push(text(u4())), // BINSTRING: Python 2's str, names in practice
    0x55: () => void stack.push(text(u1())), // SHORT_BINSTRING
    0x42: () => void stack.push(blob(u4())), // BINBYTES
    0x43: () => void stack.push(blob(u1())), // SHORT_BINBYTES
    0x8e: () => void stack.push(blob(u8())), // BINBYTES8
    0x7d: () => void stack.push(new Map()), // EMPTY_DICT
    0x5d: () => void stack.push([]), // EMPTY_LIST
    0x8f: () => void stack.push(new Set()), // EMPTY_SET
    0x29: () => void stack.push(new Tuple([])), // EMPTY_TUPLE
    0x85: () => void stack.push(new Tuple([pop()])), // TUPLE1
    0x86: () => void stack.push(new Tuple([pop(), pop()].reverse())), // TUPLE2
    0x87: () => void stack.push(new Tuple([pop(), pop(), pop()].reverse())), // TUPLE3
    0x74: () => void stack.push(new Tuple(popToMark())), // TUPLE
    0x6c: () => void stack.push(popToMark()), // LIST
    0x64: () => { // DICT
      const items = popToMark();
      stack.push(new Map());
      setItems(items);
    },
    0x61: () => { // APPEND
      const item = pop();
      top<Pickled[]>(Array, "list").push(item);
    },
    0x65: () => { // APPENDS
      const items = popToMark();
      const list = top<Pickled[]>(Array, "list");
      for (const item of items) list.push(item);
    },
    0x73: () => { // SETITEM
      const value = pop();
      setItems([pop(), value]);
    },
    0x75: () => setItems(popToMark()), // SETITEMS
    0x90: () => { // ADDITEMS
      const items = popToMark();
      const set = top<Set<Pickled>>(Set, "set");
      for (const item of items) set.add(item);
    },
    0x71: () => put(u1()), // BINPUT
    0x72: () => put(u4()), // LONG_BINPUT
    0x94: () => put(memo.size), // MEMOIZE
    0x68: () => get(u1()), // BINGET
    0x6a: () => get(u4()), // LONG_BINGET
    0x63: () => { // GLOBAL
      const module = line();
      stack.push(named(`${module}.${line()}`));
    },
    0x93: () => { // STACK_GLOBAL
      const [name, module] = [pop(), pop()];
      if (typeof name !== "string" || typeof module !== "string") {
        throw new SyntaxError("the pickle names a class with something that is no text");
      }
      stack.push(named(`${module}.${name}`));
    },
    0x52: () => { // REDUCE
      const args = pop();
      stack.push(call(pop(), args));
    },
    0x81: () => { // NEWOBJ
      const args = pop();
      stack.push(call(pop(), args));
    },
    0x62: () => { // BUILD: attributes such as a state dict's _metadata; nothing here has any
      pop();
      stack.push(pop());
    },
    0x51: () => void stack.push(options.persistentLoad(pop())), // BINPERSID
  };

  while (true) {
    const opcode = u1();
    if (opcode === 0x2e) return { value: pop(), end: at }; // STOP
    const run = opcodes[opcode];
    if (run === undefined) {
      const hex = opcode.toString(16).padStart(2, "0");
      throw new SyntaxError(
        `the pickle has opcode 0x${hex} at byte ${at - 1}, which plain tensors do not need`,
      );
    }
    run();
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: false });

/** Two's complement, little-endian, any length: a number where it is exact, else a bigint. */
function toInteger(bytes: Uint8Array): number | bigint {
  if (bytes.length > 1024) throw new SyntaxError(`the pickle has an integer of ${bytes.length} bytes`);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  if (bytes.length > 0 && bytes[bytes.length - 1] >= 0x80) value -= 1n << BigInt(8 * bytes.length);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
