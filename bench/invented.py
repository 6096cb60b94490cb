"""Words of an invented district that several benches make their texts of."""

from __future__ import annotations

# What is worked on; the first ones name the pages of the databases that million.py keeps, so that new ones go behind.
WHAT = [
    "老旧管网改造", "农贸市场提升", "中小学校舍维修", "河道清淤疏浚", "社区食堂建设", "公交线路优化", "困难家庭帮扶",
    "村级道路养护", "图书馆分馆建设", "养老床位改造", "森林防火巡查", "春季农业生产", "企业服务专员",
    "高层建筑消防检查",
]  # fmt: skip
