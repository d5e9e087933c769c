/**
 * The rules by which ThingsBoard 4.3.1.3 accepts an alarm rule, and the form in which it returns one. Independent of the
 * generator, so that a misreading cannot agree with itself.
 */

import { onlyMembers } from './refusal.ts';

type Members = Readonly<Record<string, unknown>>;

const SEVERITIES = ['CRITICAL', 'MAJOR', 'MINOR', 'WARNING', 'INDETERMINATE'];
const UNITS = ['SECONDS', 'MINUTES', 'HOURS', 'DAYS'];
const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  NUMERIC: ['EQUAL', 'NOT_EQUAL', 'GREATER', 'LESS', 'GREATER_OR_EQUAL', 'LESS_OR_EQUAL'],
  BOOLEAN: ['EQUAL', 'NOT_EQUAL'],
  STRING: ['EQUAL', 'NOT_EQUAL', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS', 'NOT_CONTAINS', 'IN', 'NOT_IN'],
};
const STATIC_TYPES: Readonly<Record<string, string>> = {
  NUMERIC: 'number',
  BOOLEAN: 'boolean',
  STRING: 'string',
};

/** The problems, in the words of the server where it has some. */
export function checkAlarmRule(rule: Members): readonly string[] {
  if (rule['type'] !== 'ALARM') return ['type must be ALARM'];
  if (typeof rule['name'] !== 'string' || rule['name'] === '' || rule['name'].length > 255)
    return ['name is invalid'];
  const configuration = onlyMembers(
    rule['configuration'],
    [
      'type',
      'arguments',
      'createRules',
      'clearRule',
      'propagate',
      'propagateToOwner',
      'propagateToTenant',
      'propagateRelationTypes',
      'output',
    ],
    'AlarmCalculatedFieldConfiguration',
  );
  const named = (configuration['arguments'] ?? {}) as Members;
  const levels = (configuration['createRules'] ?? {}) as Members;
  const problems: string[] = [];
  if (Object.keys(named).length === 0) problems.push('arguments must not be empty');
  if (Object.keys(levels).length === 0) problems.push('createRules must not be empty');
  for (const [name, argument] of Object.entries(named)) problems.push(...checkArgument(name, argument));
  for (const [severity, level] of Object.entries(levels)) {
    if (!SEVERITIES.includes(severity)) problems.push(`unknown severity ${severity}`);
    problems.push(...checkLevel(level, Object.keys(named)));
  }
  const clear = configuration['clearRule'];
  if (clear !== undefined && clear !== null) problems.push(...checkLevel(clear, Object.keys(named)));
  return problems;
}

function checkArgument(name: string, value: unknown): readonly string[] {
  if (!/^[A-Za-z_]\w*$/.test(name)) return [`argument name ${name} is invalid`];
  const argument = onlyMembers(value, ['refEntityKey', 'defaultValue'], 'Argument');
  const reference = onlyMembers(argument['refEntityKey'], ['key', 'type', 'scope'], 'ReferencedEntityKey');
  const fallback = argument['defaultValue'];
  if (fallback !== undefined && typeof fallback !== 'string') return ['defaultValue must be a text'];
  if (typeof reference['key'] !== 'string' || reference['key'] === '') return ['key must not be blank'];
  if (reference['type'] === 'TS_LATEST')
    return reference['scope'] === undefined ? [] : ['scope is of attributes'];
  const isAttribute = reference['type'] === 'ATTRIBUTE';
  // TS_ROLLING exists, but an alarm rule takes single values only.
  if (!isAttribute) return ['Only single value arguments supported'];
  return ['SERVER_SCOPE', 'CLIENT_SCOPE', 'SHARED_SCOPE'].includes(String(reference['scope']))
    ? []
    : ['scope is missing'];
}

function checkLevel(value: unknown, named: readonly string[]): readonly string[] {
  const level = onlyMembers(value, ['condition', 'alarmDetails', 'dashboardId'], 'AlarmRule');
  const condition = onlyMembers(
    level['condition'],
    ['type', 'expression', 'schedule', 'unit', 'value', 'count'],
    'AlarmCondition',
  );
  const expression = onlyMembers(
    condition['expression'],
    ['type', 'filters', 'operation'],
    'AlarmConditionExpression',
  );
  if (expression['type'] !== 'SIMPLE') return ['expression type is unknown'];
  const filters = Array.isArray(expression['filters']) ? expression['filters'] : [];
  if (filters.length === 0) return ['filters must not be empty'];
  const problems = filters.flatMap((filter) => checkFilter(filter, named));
  const isScheduled = JSON.stringify(filters).includes('"NO_DATA"');
  switch (condition['type']) {
    case 'SIMPLE':
      return problems;
    case 'DURATION':
      if (!UNITS.includes(String(condition['unit']))) problems.push('unit must not be null');
      problems.push(...checkStatic(condition['value'], 'number'));
      break;
    case 'REPEATING':
      problems.push(...checkStatic(condition['count'], 'number'));
      break;
    default:
      problems.push('condition type is unknown');
  }
  if (isScheduled)
    problems.push(
      'Expressions requiring scheduled reevaluation can only be used with simple alarm conditions',
    );
  return problems;
}

function checkFilter(value: unknown, named: readonly string[]): readonly string[] {
  const filter = onlyMembers(
    value,
    ['argument', 'valueType', 'operation', 'predicates'],
    'AlarmConditionFilter',
  );
  if (!named.includes(String(filter['argument']))) return [`Argument '${filter['argument']}' is missing`];
  const valueType = String(filter['valueType']);
  if (!Object.hasOwn(OPERATIONS, valueType)) return ['valueType must not be null'];
  const predicates = Array.isArray(filter['predicates']) ? filter['predicates'] : [];
  if (predicates.length === 0) return ['predicates must not be empty'];
  return predicates.flatMap((each) => checkPredicate(each, valueType));
}

function checkPredicate(value: unknown, valueType: string): readonly string[] {
  const predicate = onlyMembers(
    value,
    ['type', 'operation', 'value', 'ignoreCase', 'unit', 'duration'],
    'predicate',
  );
  if (predicate['type'] === 'NO_DATA') {
    const unit = UNITS.includes(String(predicate['unit'])) ? [] : ['unit must not be null'];
    return [...unit, ...checkStatic(predicate['duration'], 'number')];
  }
  if (predicate['type'] !== valueType) return ['predicate type does not fit the value type'];
  if (!OPERATIONS[valueType]?.includes(String(predicate['operation']))) return ['operation must not be null'];
  return checkStatic(predicate['value'], STATIC_TYPES[valueType] ?? '');
}

function checkStatic(value: unknown, type: string): readonly string[] {
  const members = onlyMembers(value ?? {}, ['staticValue', 'dynamicValueArgument'], 'AlarmConditionValue');
  return typeof members['staticValue'] === type
    ? []
    : ['Either staticValue or dynamicValueArgument must be set'];
}

/** As the server returns it: with null for what is not set. */
export function normaliseAlarmRule(configuration: unknown): unknown {
  const { arguments: named, createRules, clearRule, ...rest } = configuration as Members;
  return {
    type: 'ALARM',
    arguments: named,
    createRules: Object.fromEntries(
      Object.entries(createRules as Members).map(([severity, level]) => [
        severity,
        normaliseLevel(level as Members),
      ]),
    ),
    clearRule: clearRule ? normaliseLevel(clearRule as Members) : null,
    propagate: false,
    propagateToOwner: false,
    propagateToTenant: false,
    propagateRelationTypes: null,
    output: null,
    ...rest,
  };
}

function normaliseLevel({ condition, ...rest }: Members): Members {
  return {
    condition: { schedule: null, ...(withDynamic(condition) as Members) },
    alarmDetails: null,
    dashboardId: null,
    ...rest,
  };
}

/** Adds `dynamicValueArgument: null` to each static value, and `ignoreCase: false` to each text. */
function withDynamic(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withDynamic);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, withDynamic(member)] as const);
  const copy = Object.fromEntries(members);
  if (copy['type'] === 'STRING') return { ignoreCase: false, ...copy };
  return Object.hasOwn(copy, 'staticValue') ? { dynamicValueArgument: null, ...copy } : copy;
}
