/** 演示面板。 */
export const demo = {
  'demo.title': '演示面板',
  'demo.name': '演示',
  'demo.what': '这是演示：设备、人员和这一天都是模拟的，什么也不保留；消息服务器、网关和告警是真的。',
  'demo.try': '让大厅里发生点什么',
  'demo.cannot': '演示自带的消息服务器不落盘、没有 MQTT 5，重连时会丢失在途消息；正式运行请用 Mosquitto（见 docs/deploy.md）。',
  'problem.no_such_scenario': '没有这个场景',
  'demo.speed': '大厅时钟的速度',
  'demo.trouble': '叠加故障',
  'demo.calm': '没有故障',
  'demo.lies': '故障：',
  'problem.no_such_trouble': '没有这种故障',
} as const
