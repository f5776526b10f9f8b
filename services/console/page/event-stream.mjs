/**
 * Takes the text of a stream of server-sent events piece by piece, however it is cut, and hands out whole events. `EventSource` would
 * do it, too, but cannot show a token other than in the address.
 * @returns a function that takes the next piece, and returns the events that end in it: `{event, data}`
 */
export function eventStreamParser() {
  let rest = '';
  let event = 'message';
  let data = [];
  return (piece) => {
    const events = [];
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) events.push({ event, data: data.join('\n') });
        event = 'message';
        data = [];
        continue;
      }
      const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
      if (field === 'event') event = value ?? '';
      else if (field === 'data') data.push(value ?? '');
    }
    return events;
  };
}
