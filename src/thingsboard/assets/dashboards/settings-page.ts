/** The settings of a gateway: a form on shared attributes, and beside it what the gateway reports. */

import type { JsonObject } from '../../../core/model/json-object.ts';
import type { RemoteSetting } from '../sources.ts';
import type { Placed } from './dashboard.ts';
import { resetSettingsAction, settingsCard } from './scripts.ts';
import { type Alias, dataKey, entities, frame, idFor, markdown, type Widget } from './widget.ts';

/** Client attributes with the settings in force and the problems of the desired ones. */
export const REPORTED_SETTINGS = ['configApplied', 'configProblems'] as const;

export function settingsPage(alias: Alias, settings: readonly RemoteSetting[]): readonly Placed[] {
  const attributes = settings.map(({ attribute }) => attribute);
  const reported = markdown('Desired and applied', alias, settingsCard(attributes), [
    ...attributes.map((attribute) => dataKey(attribute, 'attribute')),
    ...REPORTED_SETTINGS.map((attribute) => dataKey(attribute, 'attribute')),
  ]);
  const height = Math.ceil(settings.length / 2) + 3;
  return [
    { widget: settingsForm(alias, settings, attributes), col: 0, row: 0, width: 12, height },
    { widget: reported, col: 12, row: 0, width: 12, height },
  ];
}

/** A form on shared attributes. The gateway checks each value, and names what it refuses in configProblems. */
function settingsForm(
  alias: Alias,
  settings: readonly RemoteSetting[],
  attributes: readonly string[],
): Widget {
  const reset = {
    id: idFor('reset the settings'),
    name: 'Use the settings of the gateway',
    icon: 'restart_alt',
    type: 'custom',
    customFunction: resetSettingsAction(attributes),
  };
  return {
    name: 'Form: settings',
    type: 'system.input_widgets.update_multiple_attributes',
    config: frame('Desired settings', {
      datasources: [entities(alias, settings.map(field))],
      settings: {
        widgetTitle: 'Desired settings (shared attributes)',
        showActionButtons: true,
        updateAllValues: false,
        showResultMessage: true,
        showGroupTitle: false,
        groupTitle: '',
        fieldsAlignment: 'row',
        fieldsInRow: 2,
      },
      actions: { headerButton: [reset] },
    }),
  };
}

function field({ attribute, key, default: fallback, options }: RemoteSetting): JsonObject {
  const label = fallback === '' ? key : `${key} (default ${fallback})`;
  return dataKey(attribute, 'attribute', {
    label,
    settings: {
      dataKeyType: 'shared',
      dataKeyValueType: options.length > 0 ? 'select' : 'string',
      ...(options.length > 0 && { selectOptions: options.map((value) => ({ value, label: value })) }),
      required: false,
      isEditable: 'editable',
      dataKeyHidden: false,
    },
  });
}
