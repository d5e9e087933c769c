/** Elements of SVG as text. */

export function element(name, attributes, content) {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${xml(String(value))}"`);
  return content === undefined
    ? `<${name}${list.join('')}/>`
    : `<${name}${list.join('')}>${xml(content)}</${name}>`;
}

export function xml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** A text of at most `width` pixels of a font of `size`, whose characters are half as wide as high on average. */
export function fitText(text, width, size = 13) {
  const max = Math.max(1, Math.floor(width / (size * 0.52)));
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
