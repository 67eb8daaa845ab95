/** A difference between the two clocks that grows by more at once is a sleep, or a clock that was set. */
const JUMP_MS = 1_000;

/**
 * A clock in milliseconds that is never set back, and goes on while the machine sleeps. The browser's steady clock
 * may stand still then; what the wall clock is ahead of it afterwards is added.
 */
export function steadyClock(): () => number {
  let apart = Date.now() - performance.now();
  let asleep = 0;
  return () => {
    const steady = performance.now();
    const jump = Date.now() - steady - apart;
    asleep += jump >= JUMP_MS ? jump : 0;
    apart += jump;
    return steady + asleep;
  };
}
