/** Bytes, text or values that the protocol does not allow. The message says what helps. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  constructor(
    /** What was read. */
    readonly what: string,
    why: string,
  ) {
    super(`${what}: ${why}`);
  }
}
