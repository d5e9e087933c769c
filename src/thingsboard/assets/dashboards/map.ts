/** The map of the fleet: gateways with the attributes latitude and longitude, green while online. */

import type { JsonObject } from '../../../core/model/json-object.ts';
import type { Keys } from '../sources.ts';
import { GREEN, RED } from './scripts.ts';
import { type Alias, dataKey, frame, idFor, placeholder, telemetryKey, type Widget } from './widget.ts';

export function map(alias: Alias, keys: Keys, click: readonly JsonObject[]): Widget {
  const place = (name: string) => ({ name, label: name, type: 'attribute', settings: {}, color: '#2196f3' });
  const colour = `return data.active === "true" || data.active === true ? "${GREEN}" : "${RED}";`;
  const [action] = click;
  return {
    name: 'Map',
    type: 'system.map',
    config: frame('Map', {
      showTitle: false,
      padding: '0px',
      settings: {
        mapType: 'geoMap',
        layers: [{ label: 'OpenStreetMap', provider: 'openstreet', layerType: 'OpenStreetMap.Mapnik' }],
        imageSource: null,
        markers: [
          {
            dsType: 'entity',
            dsLabel: '',
            dsDeviceId: null,
            dsEntityAliasId: idFor(alias.name),
            dsFilterId: null,
            additionalDataKeys: [
              dataKey('active', 'attribute'),
              telemetryKey('cpuTemperatureC', keys),
              telemetryKey('diskRootUsedPercent', keys),
            ],
            label: { show: true, type: 'pattern', pattern: placeholder('entityName') },
            tooltip: {
              show: true,
              trigger: 'hover',
              autoclose: true,
              type: 'pattern',
              pattern: `<b>${placeholder('entityName')}</b><br/>CPU ${placeholder('cpuTemperatureC:1')} °C<br/>Disk ${placeholder('diskRootUsedPercent:0')} %`,
              offsetX: 0,
              offsetY: -1,
            },
            click: action ?? { type: 'doNothing' },
            groups: null,
            xKey: place('latitude'),
            yKey: place('longitude'),
            markerType: 'shape',
            markerShape: {
              shape: 'markerShape1',
              size: 34,
              color: { type: 'function', color: GREEN, colorFunction: colour },
            },
            markerOffsetX: 0.5,
            markerOffsetY: 1,
            markerClustering: { enable: true, zoomOnClick: true, maxClusterRadius: 80, zoomAnimation: true },
          },
        ],
        polygons: [],
        circles: [],
        additionalDataSources: [],
        controlsPosition: 'topleft',
        zoomActions: ['scroll', 'doubleClick', 'controlButtons'],
        fitMapBounds: true,
        useDefaultCenterPosition: false,
        mapPageSize: 16384,
        padding: '8px',
      },
    }),
  };
}
