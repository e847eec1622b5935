/** The framing of TensorFlow's record files: length, its checksum, data, its checksum. */

/** CRC-32C (Castagnoli), reflected polynomial. */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0x82f63b78 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/**
 * CRC-32C of some bytes.
 *
 * @param bytes The bytes.
 * @returns The checksum, 0..2^32-1.
 */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * One record, ready to be appended to a file.
 *
 * @param data The record's content.
 * @returns The framed bytes.
 */
export function tfRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(12 + data.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, mask(crc32c(record.subarray(0, 8))), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, mask(crc32c(data)), true);
  return record;
}

/** A checksum of data that holds checksums is weak, so the format rotates it and adds a constant. */
function mask(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
