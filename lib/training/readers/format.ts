/** How readers write numbers for people. */

/** A duration, e.g. `0:07`, `12:05` or `1:02:09`; `?` if it is not known. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  const pad = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** A loss, with four digits that matter. */
export function formatLoss(loss: number): string {
  return Number.isFinite(loss) ? loss.toPrecision(4) : String(loss);
}

/** A learning rate, with three digits that matter. */
export function formatRate(rate: number): string {
  return String(Number(rate.toPrecision(3)));
}
