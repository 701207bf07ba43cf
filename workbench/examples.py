"""Texts written for this project: the JDs and the example that the search panel opens with, and background.

:data:`BACKGROUND` are everyday sentences of job adverts, in which the keyword encoder counts how common a
string is, as an ATS does with a stop list: what stands in every advert ("experience with") should weigh
little, what names a skill should weigh much.
"""

from __future__ import annotations

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

BACKGROUND: tuple[str, ...] = (
    "本科及以上学历，计算机、数学、统计或相关专业优先。",
    "三年以上相关工作经验，有大型项目经验者优先。",
    "负责公司核心产品的需求分析、方案设计和开发工作。",
    "具备良好的沟通能力和团队协作精神，有较强的责任心。",
    "熟悉常用的数据结构与算法，具备良好的编码习惯。",
    "能够独立完成任务，有较强的分析和解决问题的能力。",
    "负责与业务部门沟通需求，推动项目按时上线。",
    "有较强的学习能力，能够快速掌握新技术和新工具。",
    "熟练使用办公软件，具备较好的文字表达能力。",
    "参与系统的架构设计、性能优化和日常维护。",
    "负责客户关系的建立与维护，完成销售目标。",
    "了解行业动态，能够撰写分析报告并提出建议。",
    "有管理团队的经验，能够制定计划并带领团队完成目标。",
    "掌握至少一门编程语言，了解软件开发流程。",
    "英语听说读写流利，能够作为工作语言。",
    "负责产品的测试，编写测试用例，跟踪并解决缺陷。",
    "能够承受较大的工作压力，适应出差和加班。",
    "协助部门负责人完成预算编制和费用控制。",
    "参与过从零到一的产品建设，对结果负责。",
    "负责日常运营工作，根据数据制定活动方案。",
    "精通相关领域的理论知识，并有实际应用的经历。",
    "主导过重要项目的规划与实施，取得良好效果。",
    "做事认真细致，具有服务意识和职业素养。",
    "负责招聘、培训和员工关系等人力资源工作。",
    "持有相关资格证书，符合岗位的其他要求。",
    "配合其他部门的工作，及时处理各种问题。",
    "使用主流的开发框架实现业务功能，保证代码质量。",
    "为用户提供技术支持，解答使用中的问题。",
    "收集并整理各类资料，建立和完善相关制度与流程。",
    "对智能技术在业务场景中的应用有深入理解和实践经验。",
    "Bachelor's degree or above in computer science or a related field.",
    "At least three years of relevant work experience in a similar role.",
    "Responsible for the design, development and maintenance of our products.",
    "Excellent written and verbal communication skills in English.",
    "Strong analytical and problem-solving skills, with attention to detail.",
    "Experience with working in a fast-paced team environment.",
    "Familiar with the use of common tools and methods of the industry.",
    "Able to work independently and to manage several projects at a time.",
    "Knowledge of best practices, standards and processes is required.",
    "Work closely with other teams to understand the requirements of customers.",
    "Proficient in at least one programming language.",
    "Develop, implement and monitor plans and strategies for the business.",
    "Manage the daily operation of the department and its staff.",
    "Prepare reports and present the results to the management.",
    "Ensure the quality and safety of systems, services and materials.",
    "Provide training and technical support to users and colleagues.",
    "Led a team that built and delivered a new platform for clients.",
    "Good understanding of data, performance and security.",
    "Proven track record of meeting targets and deadlines.",
    "Maintain records and handle requests in a timely and professional manner.",
    "Assist in planning and organising activities, events and meetings.",
    "Identify and resolve issues, and improve existing processes.",
    "Perform other duties as assigned by the supervisor.",
    "A relevant certificate or equivalent experience is a plus.",
    "Used modern frameworks to create, test and operate applications.",
    "Supervise the production, check the equipment and apply the rules.",
    "Advise customers on products and services, and conduct sales.",
    "Conduct research, analyse information and write documentation.",
    "Willing to travel and to work in shifts when needed.",
    "Passionate about technology and eager to learn new things.",
)
