"""Plans that a search would hardly choose: stages as long as they can be, in a mode of the test's choice."""

from __future__ import annotations

from tecompile.graph import Graph
from tecompile.planner.allocate import FIRST_FIT
from tecompile.planner.layout import Layout, Place
from tecompile.planner.plan import Plan
from tecompile.planner.search import Edge, Stages, Taste, Way
from tecompile.planner.walk import AT_ONCE, Mode
from tecompile.target import Target


def longest_stages(graph: Graph, target: Target, mode: Mode) -> Plan:
    stages, edges = Stages(graph, target), list[Edge]()
    while not edges or edges[-1].end < len(stages.ops):
        begin = edges[-1].end if edges else 0
        end, way = begin, Way(mode, Taste.FAST)
        while end < len(stages.ops) and stages.choice(stages.ops[end], way) is not None:
            end += 1
        way = way if end > begin else Way(Mode(AT_ONCE), Taste.FAST)
        edges.append(Edge(begin, min(max(end, begin + 1), len(stages.ops)), way))
    drafts = [stages.draft(edge) for edge in edges if edge.end > edge.begin]
    layout = Layout(graph, stages.lives, drafts, Place("RAM"))
    return layout.plan(layout.pack(0, FIRST_FIT))
