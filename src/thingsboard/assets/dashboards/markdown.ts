/** A card whose text a function makes from the latest values of one gateway. */

import type { JsonObject } from '../../../core/model/json-object.ts';
import { type Alias, entities, frame, type Widget } from './widget.ts';

/** `code` gets the latest values of the gateway, by key. */
export function markdown(title: string, alias: Alias, code: string, dataKeys: readonly JsonObject[]): Widget {
  return {
    name: `Card: ${title}`,
    type: 'system.cards.markdown_card',
    config: frame(title, {
      datasources: [entities(alias, dataKeys)],
      settings: {
        useMarkdownTextFunction: true,
        markdownTextFunction: code,
        applyDefaultMarkdownStyle: true,
        markdownCss: '',
      },
    }),
  };
}
