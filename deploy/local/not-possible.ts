/** The platform cannot start as things are. The message is one line that says what to do. */
export class NotPossible extends Error {
  override readonly name = 'NotPossible';
}
