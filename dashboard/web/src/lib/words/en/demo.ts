/** The demo's panel. */
export const demo = {
  'demo.title': 'Demo panel',
  'demo.name': 'Demo',
  'demo.what': 'This is a demo: devices, people and the day are simulated and nothing is kept; the broker, the gateway and the alarms are real.',
  'demo.try': 'Make something happen in the hall',
  'demo.cannot': 'The broker within the demo keeps nothing on disk, has no MQTT 5 and loses what is under way at a reconnect; a real hall runs on Mosquitto (docs/deploy.md).',
  'problem.no_such_scenario': 'No such scenario',
  'demo.speed': 'Speed of the hall\'s clock',
  'demo.trouble': 'Lay a fault over it',
  'demo.calm': 'No fault',
  'demo.lies': 'Fault: ',
  'problem.no_such_trouble': 'There is no such fault',
} as const
