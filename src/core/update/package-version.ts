/** Versions of the package, in the order of Debian (deb-version(7)), without epoch and revision. */

/** As a minimum: no version is older. */
export const ANY_VERSION = '0';
const VERSION_PATTERN = /^\d[0-9A-Za-z.+~]{0,63}$/;

/** A digit, then up to 63 letters, digits and . + ~ */
export function isPackageVersion(value: unknown): value is string {
  return typeof value === 'string' && VERSION_PATTERN.test(value);
}

/** Negative if `a` is older than `b`, 0 if they are equal, positive if `a` is newer. */
export function comparePackageVersions(a: string, b: string): number {
  let [restA, restB] = [a, b];
  while (restA !== '' || restB !== '') {
    const [textA, textB] = [leading(/^\D*/, restA), leading(/^\D*/, restB)];
    const byText = compareText(textA, textB);
    if (byText !== 0) return byText;
    const [digitsA, digitsB] = [
      leading(/^\d*/, restA.slice(textA.length)),
      leading(/^\d*/, restB.slice(textB.length)),
    ];
    const byNumber = compareDigits(digitsA, digitsB);
    if (byNumber !== 0) return byNumber;
    restA = restA.slice(textA.length + digitsA.length);
    restB = restB.slice(textB.length + digitsB.length);
  }
  return 0;
}

function leading(pattern: RegExp, text: string): string {
  return pattern.exec(text)?.[0] ?? '';
}

/** A tilde sorts before everything, even before the end; letters sort before other characters. */
function compareText(a: string, b: string): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = order(a[index]) - order(b[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function order(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === '~') return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

function compareDigits(a: string, b: string): number {
  const [numberA, numberB] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  if (numberA.length !== numberB.length) return numberA.length - numberB.length;
  if (numberA === numberB) return 0;
  return numberA < numberB ? -1 : 1;
}
