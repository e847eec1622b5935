/** TensorBoard's `Event` message (tensorflow/core/util/event.proto) in protobuf's wire format. */

/** One event; the fields that are set are written. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  /** Steps done so far. */
  readonly step?: number;
  /** First event of a file: `brain.Event:2`. */
  readonly fileVersion?: string;
  /** Numbers by tag. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** Marks a (re)start: what an earlier file says of this step and later ones is void. */
  readonly isStart?: boolean;
}

/**
 * Encodes an event.
 *
 * @param event What happened.
 * @returns The message's bytes.
 */
export function encodeEvent(event: TensorBoardEvent): Uint8Array {
  const { wallTime, step, fileVersion, scalars, isStart } = event;
  return concat([
    double(1, wallTime),
    ...(step === undefined ? [] : [varintField(2, step)]),
    ...(fileVersion === undefined ? [] : [bytesField(3, utf8(fileVersion))]),
    ...(scalars === undefined ? [] : [bytesField(5, encodeSummary(scalars))]),
    ...(isStart ? [bytesField(7, varintField(1, 1))] : []), // SessionLog { status: START }
  ]);
}

/** `Summary { repeated Value value = 1 }`, `Value { string tag = 1; float simple_value = 2 }`. */
function encodeSummary(scalars: Readonly<Record<string, number>>): Uint8Array {
  return concat(
    Object.entries(scalars).map(([tag, value]) =>
      bytesField(1, concat([bytesField(1, utf8(tag)), float(2, value)]))
    ),
  );
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function double(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = field << 3 | 1;
  new DataView(bytes.buffer).setFloat64(1, value, true);
  return bytes;
}

function float(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(5);
  bytes[0] = field << 3 | 5;
  new DataView(bytes.buffer).setFloat32(1, value, true);
  return bytes;
}

function varintField(field: number, value: number): Uint8Array {
  return Uint8Array.from([field << 3, ...varint(value)]);
}

function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return concat([Uint8Array.from([field << 3 | 2, ...varint(bytes.length)]), bytes]);
}

/** Seven bits a byte, low ones first; numbers may be larger than 32 bits. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  bytes.push(value);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
