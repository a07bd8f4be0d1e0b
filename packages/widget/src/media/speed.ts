import { SPEEDS, type Speed } from '../components/qsec2-voice/qsec2-voice.logic';

/** All that the widget itself keeps in a browser: a number out of three, which tells nothing of anyone. */
const KEY = 'qsec2-speed';

let chosen: Speed | undefined;

/** How fast voice messages are played: the speed chosen last is the speed of all, on every page of this origin. */
export function chosenSpeed(): Speed {
  chosen ??= SPEEDS.find((speed) => String(speed) === read()) ?? 1;
  return chosen;
}

export function chooseSpeed(speed: Speed): void {
  chosen = speed;
  try {
    localStorage.setItem(KEY, String(speed));
  } catch {
    // Pages may be without storage, by choice or by sandbox: the speed then holds as long as the page.
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
