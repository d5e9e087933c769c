/** Text as comment lines of the example file, wrapped at words. */

const LINE_CHARACTERS_MAX = 100;

export function commented(text: string): string {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '#';
    for (const word of paragraph.split(' ')) {
      if (line.length + 1 + word.length > LINE_CHARACTERS_MAX) {
        lines.push(line);
        line = '#';
      }
      line = `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines.join('\n');
}
