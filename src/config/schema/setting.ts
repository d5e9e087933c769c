/** A setting: a row of the table in settings.ts, and the names that derive from its key. */

import type * as v from 'valibot';

export interface Setting<T = unknown> {
  /** `<table>.<name>`, as in the file. */
  readonly key: string;
  readonly type:
    | 'URL'
    | 'duration'
    | 'number'
    | 'size'
    | 'share'
    | 'choice'
    | 'list'
    | 'text'
    | 'path'
    | 'secret';
  /** As written in the file; absent or empty: none. */
  readonly default?: string;
  readonly bound: string;
  readonly example: string;
  readonly meaning: string;
  /** The server may set it, by the shared attribute `attributeOf`. */
  readonly isRemote?: true;
  readonly schema: v.GenericSchema<unknown, T>;
}

/** `[table]` and `name` of a setting. */
export function pathOf(setting: Setting): readonly [table: string, name: string] {
  const [table = '', name = ''] = setting.key.split('.');
  return [table, name];
}

/** `provisioning.secret-file` is FIRSTLIGHT_PROVISIONING_SECRET_FILE. */
export function variableOf(setting: Setting): string {
  return `FIRSTLIGHT_${setting.key.replace(/[.-]/g, '_').toUpperCase()}`;
}

/** `outbox.spool-after` is the shared attribute outboxSpoolAfter. */
export function attributeOf(setting: Setting): string {
  return setting.key.replace(/[.-]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
