"""The eight JDs and the worked example that the search panel opens with. Written for this project."""

from __future__ import annotations

__all__ = ["EXAMPLE_JDS", "EXAMPLE_QUERY"]

EXAMPLE_JDS: tuple[str, ...] = (
    "负责大模型应用落地：基于开源或商用大语言模型做微调与推理部署，把生成能力接进写作、翻译等产品。",
    "熟悉 RAG 架构设计，独立搭建过文档解析、向量检索、重排序到答案生成的完整链路。",
    "能针对业务场景设计、评测并持续迭代提示词，了解少样本示例与思维链等写法。",
    "具备 AI Agent 开发经验，能为智能客服等场景设计任务规划、工具调用和多轮对话流程。",
    "研发多模态智能体 Agent：让它看懂图片与屏幕、听懂语音，并自主调用工具完成任务。",
    "精通 Java 后端开发，熟悉 Spring Boot、MySQL 与消息队列，有高并发微服务的设计和调优经验。",
    "用 SQL 和 Python 做经营数据分析，搭建指标体系和可视化报表，定位业务波动的原因。",
    "持护士执业证，三年以上三甲医院病房护理经验，熟悉急诊分诊与危重患者监护。",
)

EXAMPLE_QUERY = "主导过智能客服 Agent 项目，实现了工具调用和多轮对话"
