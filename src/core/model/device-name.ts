/**
 * Device names: which ones the server takes, and how a configured template becomes one.
 *
 * A template is text with placeholders: `{serial}`, `{machineId}`, `{mac}`, `{hostname}`. Pure: where the
 * values come from is host/identity.ts's business. A problem is returned as a sentence for the operator,
 * never as a name that is almost right.
 */

export const PLACEHOLDERS = ['serial', 'machineId', 'mac', 'hostname'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** What this host has to put in; undefined for what it lacks. */
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

/** What is wrong with a device name, as one sentence; undefined when the server will take it. */
export function checkDeviceName(name: string): string | undefined {
  if (name.trim() === '') return 'the device name is empty';
  if (name !== name.trim()) return 'the device name begins or ends with white space';
  if (name.length > NAME_CHARACTERS_MAX) {
    return `the device name has ${name.length} characters; the server takes at most ${NAME_CHARACTERS_MAX}`;
  }
  if (/[\p{Cc}\p{Cs}]/u.test(name)) return 'the device name contains a control character or half a character';
  if (/[<>]/.test(name)) return 'the device name contains < or >, which the server refuses as HTML';
  return undefined;
}

/**
 * Fills in a template and checks the outcome. `sources` of the result names the placeholders that were used.
 */
export function expandDeviceName(template: string, sources: NameSources): NameResult {
  const used = new Set<Placeholder>();
  const problems: string[] = [];
  const name = template.replaceAll(/\{([^{}]*)\}/g, (_, placeholder: string) => {
    if (!isPlaceholder(placeholder)) {
      problems.push(
        `{${placeholder}} is no placeholder; there are ${PLACEHOLDERS.map((p) => `{${p}}`).join(', ')}`,
      );
      return '';
    }
    const value = sources[placeholder];
    if (value === undefined) problems.push(`this host has no ${placeholder} to put in for {${placeholder}}`);
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

/** As JSON, so that a control character shows; shortened, so that it fits a log line. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
