/** The manual pages: the reference documents with a name and a synopsis. */

import { commandReference } from '../docs/commands.mjs';
import { configurationReference } from '../docs/configuration.mjs';
import { eventReference } from '../docs/events.mjs';
import { renderManPage } from './roff.mjs';

const PAGES = [
  {
    name: 'firstlight',
    section: 1,
    summary: 'ThingsBoard agent of a Linux gateway',
    synopsis: ['firstlight command [option ...]'],
    reference: commandReference,
  },
  {
    name: 'firstlight.toml',
    section: 5,
    summary: 'configuration of the Firstlight agent',
    synopsis: ['/etc/firstlight/firstlight.toml', '/etc/firstlight/conf.d/*.toml'],
    reference: configurationReference,
  },
  {
    name: 'firstlight-events',
    section: 7,
    summary: 'events that the Firstlight agent logs, with causes and actions',
    reference: eventReference,
  },
];

/** `[file name, roff]` of each page; `release` has version and date. */
export async function renderManPages(release) {
  const pages = PAGES.map(async ({ reference, ...page }) => {
    const others = PAGES.filter(({ name }) => name !== page.name).map(({ name, section }) => [name, section]);
    const seeAlso = [...others, ['systemctl', 1], ['journalctl', 1]];
    return [
      `${page.name}.${page.section}`,
      renderManPage({ ...page, seeAlso, markdown: await reference() }, release),
    ];
  });
  return Promise.all(pages);
}
