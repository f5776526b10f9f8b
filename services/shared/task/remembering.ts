/** The same function, which remembers its last result: what an event leaves as it is need not be made again after it, nor compared. */
export function remembering<A, R>(make: (argument: A) => R): (argument: A) => R {
  let last: { readonly argument: A; readonly result: R } | undefined;
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: make(argument) };
    return last.result;
  };
}
