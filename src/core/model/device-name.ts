/**
 * Device names: which ones the server accepts, and how a configured template becomes one.
 *
 * A template is text with placeholders: `{serial}`, `{machineId}`, `{mac}`, `{hostname}`;
 * host/hardware/device-name.ts reads their values. An invalid name is reported as a problem, never corrected.
 */

export const PLACEHOLDERS = ['serial', 'machineId', 'mac', 'hostname'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** Values of the placeholders; undefined if this host has none. */
export type NameSources = Readonly<Record<Placeholder, string | undefined>>;

export type NameResult =
  | {
      readonly ok: true;
      readonly name: string;
      readonly sources: readonly string[];
      readonly warning?: string;
    }
  | { readonly ok: false; readonly problem: string };

export const NAME_CHARACTERS_MAX = 255;

/** The problem of a device name as a sentence; undefined if the server accepts it. */
export function checkDeviceName(name: string): string | undefined {
  if (name.trim() === '') return 'the device name is empty';
  if (name !== name.trim()) return 'the device name begins or ends with white space';
  if (name.length > NAME_CHARACTERS_MAX) {
    return `the device name has ${name.length} characters; the server takes at most ${NAME_CHARACTERS_MAX}`;
  }
  if (/[\p{Cc}\p{Cs}]/u.test(name)) return 'the device name contains a control character or half a character';
  if (/[<>]/.test(name)) return 'the device name contains < or >, which the server rejects as HTML';
  return undefined;
}

/**
 * Expands a template and checks the result. `sources` lists the placeholders that were used.
 */
export function expandDeviceName(template: string, sources: NameSources): NameResult {
  const used = new Set<Placeholder>();
  const problems: string[] = [];
  const name = template.replaceAll(/\{([^{}]*)\}/g, (_, placeholder: string) => {
    if (!isPlaceholder(placeholder)) {
      problems.push(
        `{${placeholder}} is not a placeholder; valid are ${PLACEHOLDERS.map((p) => `{${p}}`).join(', ')}`,
      );
      return '';
    }
    const value = sources[placeholder];
    if (value === undefined)
      problems.push(`this host has no ${placeholder} for the placeholder {${placeholder}}`);
    used.add(placeholder);
    return value ?? '';
  });
  if (problems.length === 0 && /[{}]/.test(name)) problems.push('a brace is not closed or not opened');
  if (problems.length > 0)
    return { ok: false, problem: `device name ${quoted(template)}: ${problems.join('; ')}` };
  const problem = checkDeviceName(name);
  if (problem !== undefined) return { ok: false, problem: `device name ${quoted(template)}: ${problem}` };
  return { ok: true, name, sources: [...used] };
}

function isPlaceholder(text: string): text is Placeholder {
  return PLACEHOLDERS.some((placeholder) => placeholder === text);
}

/** As JSON, so that control characters are visible; shortened to fit a log line. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
