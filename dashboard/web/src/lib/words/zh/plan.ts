/** 平面图上点开之后的词句和图例。 */
export const plan = {
  'plan.waiting': '{name}：{n} 人排队',
  'plan.blank': '站点文件里还没有平面图：给区域写 outline（轮廓），给窗口和设备写 at（位置），然后重新读取',
  'plan.cover': '代班',
  'plan.more': '详情',
  'pause.cover_login': '登录后可选择代班人员。',
  'pause.cover_none': '今日没有排班人员可以代班。',
  'legend.title': '图例',
  'legend.warns': '报警',
  'legend.counts': '人员',
  'legend.runs': '设备',
  'legend.plain': '不着色 = 正常',
} as const
