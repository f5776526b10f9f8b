/** Such as `12 s`, `27 min`, `4.4 h`. @param seconds whole ones */
export const durationText = (seconds: number): string =>
  seconds < 60
    ? `${seconds} s`
    : seconds < 3_600
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3_600).toFixed(1)} h`;
