"""A box as a STEP file (AP214): one solid of six plane faces."""

from __future__ import annotations

from itertools import pairwise

LENGTHS = {
    "mm": "(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.MILLI.,.METRE.))",
    "m": "(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT($,.METRE.))",
}
CORNERS_OF_FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
NORMALS = [(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)]


class StepBox:
    """The lines of the file, numbered from 1."""

    def __init__(self, size: tuple[float, float, float], unit: str, color: tuple[float, float, float] | None) -> None:
        self.lines: list[str] = []
        self.places = [(x, y, z) for x in (0, size[0]) for y in (0, size[1]) for z in (0, size[2])]
        self.points = [self.add("CARTESIAN_POINT", *map(float, p)) for p in self.places]
        self.vertices = [self.add_line(f"VERTEX_POINT('',#{p})") for p in self.points]
        self.edges: dict[tuple[int, int], int] = {}
        faces = [self.face(*face) for face in zip(CORNERS_OF_FACES, NORMALS, strict=True)]
        shell = self.add_line(f"CLOSED_SHELL('',({self.refer(faces)}))")
        self.solid = self.add_line(f"MANIFOLD_SOLID_BREP('box',#{shell})")
        self.context = self.units(unit)
        self.product()
        if color is not None:
            self.paint(color)

    def add_line(self, line: str) -> int:
        self.lines.append(line)
        return len(self.lines)

    def add(self, kind: str, *numbers: float) -> int:
        return self.add_line(f"{kind}('',({','.join(map(repr, numbers))}))")

    def refer(self, numbers: list[int]) -> str:
        return ",".join(f"#{k}" for k in numbers)

    def frame(self, origin: int, z: tuple[int, ...], x: tuple[int, ...]) -> int:
        axes = self.refer([self.add("DIRECTION", *map(float, z)), self.add("DIRECTION", *map(float, x))])
        return self.add_line(f"AXIS2_PLACEMENT_3D('',#{origin},{axes})")

    def edge(self, a: int, b: int) -> str:
        if (b, a) in self.edges:
            return f"#{self.edges[b, a]},.F."
        way = [q - p for p, q in zip(self.places[a], self.places[b], strict=True)]
        length = sum(k * k for k in way) ** 0.5
        vector = self.add_line(f"VECTOR('',#{self.add('DIRECTION', *(k / length for k in way))},1.)")
        line = self.add_line(f"LINE('',#{self.points[a]},#{vector})")
        self.edges[a, b] = self.add_line(f"EDGE_CURVE('',#{self.vertices[a]},#{self.vertices[b]},#{line},.T.)")
        return f"#{self.edges[a, b]},.T."

    def face(self, corners: tuple[int, ...], normal: tuple[int, ...]) -> int:
        sides = [
            self.add_line(f"ORIENTED_EDGE('',*,*,{self.edge(*pair)})") for pair in pairwise((*corners, corners[0]))
        ]
        loop = self.add_line(f"EDGE_LOOP('',({self.refer(sides)}))")
        bound = self.add_line(f"FACE_OUTER_BOUND('',#{loop},.T.)")
        frame = self.frame(self.points[corners[0]], normal, (0, 1, 0) if normal[0] else (1, 0, 0))
        plane = self.add_line(f"PLANE('',#{frame})")
        return self.add_line(f"ADVANCED_FACE('',(#{bound}),#{plane},.T.)")

    def units(self, unit: str) -> int:
        length = self.add_line(LENGTHS["mm" if unit == "inch" else unit])
        if unit == "inch":
            of_one = self.add_line(f"LENGTH_MEASURE_WITH_UNIT(LENGTH_MEASURE(25.4),#{length})")
            exponents = self.add_line("DIMENSIONAL_EXPONENTS(1.,0.,0.,0.,0.,0.,0.)")
            length = self.add_line(f"(CONVERSION_BASED_UNIT('INCH',#{of_one})LENGTH_UNIT()NAMED_UNIT(#{exponents}))")
        angle = self.add_line("(NAMED_UNIT(*)PLANE_ANGLE_UNIT()SI_UNIT($,.RADIAN.))")
        solid = self.add_line("(NAMED_UNIT(*)SI_UNIT($,.STERADIAN.)SOLID_ANGLE_UNIT())")
        exact = self.add_line(
            f"UNCERTAINTY_MEASURE_WITH_UNIT(LENGTH_MEASURE(1.E-5),#{length},'distance_accuracy_value','')"
        )
        return self.add_line(
            f"(GEOMETRIC_REPRESENTATION_CONTEXT(3)GLOBAL_UNCERTAINTY_ASSIGNED_CONTEXT((#{exact}))"
            f"GLOBAL_UNIT_ASSIGNED_CONTEXT((#{length},#{angle},#{solid}))REPRESENTATION_CONTEXT('',''))"
        )

    def product(self) -> None:
        origin = self.frame(self.add("CARTESIAN_POINT", 0.0, 0.0, 0.0), (0, 0, 1), (1, 0, 0))
        parts = self.refer([origin, self.solid])
        shape = self.add_line(f"ADVANCED_BREP_SHAPE_REPRESENTATION('box',({parts}),#{self.context})")
        application = self.add_line("APPLICATION_CONTEXT('core data for automotive mechanical design processes')")
        self.add_line(
            f"APPLICATION_PROTOCOL_DEFINITION('international standard','automotive_design',2000,#{application})"
        )
        context = self.add_line(f"PRODUCT_CONTEXT('',#{application},'mechanical')")
        product = self.add_line(f"PRODUCT('box','box','',(#{context}))")
        version = self.add_line(f"PRODUCT_DEFINITION_FORMATION('','',#{product})")
        design = self.add_line(f"PRODUCT_DEFINITION_CONTEXT('part definition',#{application},'design')")
        definition = self.add_line(f"PRODUCT_DEFINITION('design','',#{version},#{design})")
        defined = self.add_line(f"PRODUCT_DEFINITION_SHAPE('','',#{definition})")
        self.add_line(f"SHAPE_DEFINITION_REPRESENTATION(#{defined},#{shape})")

    def paint(self, color: tuple[float, float, float]) -> None:
        line = self.add_line("COLOUR_RGB('',{!r},{!r},{!r})".format(*color))
        for before in ("FILL_AREA_STYLE_COLOUR('',#{})", "FILL_AREA_STYLE('',(#{}))", "SURFACE_STYLE_FILL_AREA(#{})",
                       "SURFACE_SIDE_STYLE('',(#{}))", "SURFACE_STYLE_USAGE(.BOTH.,#{})",
                       "PRESENTATION_STYLE_ASSIGNMENT((#{}))"):  # fmt: skip
            line = self.add_line(before.format(line))
        item = self.add_line(f"STYLED_ITEM('color',(#{line}),#{self.solid})")
        self.add_line(f"MECHANICAL_DESIGN_GEOMETRIC_PRESENTATION_REPRESENTATION('',(#{item}),#{self.context})")

    def text(self) -> str:
        body = "\n".join(f"#{k}={line};" for k, line in enumerate(self.lines, 1))
        head = "FILE_DESCRIPTION((''),'2;1');\nFILE_NAME('box','',(''),(''),'','','');\n"
        schema = "FILE_SCHEMA(('AUTOMOTIVE_DESIGN { 1 0 10303 214 1 1 1 1 }'));\n"
        return f"ISO-10303-21;\nHEADER;\n{head}{schema}ENDSEC;\nDATA;\n{body}\nENDSEC;\nEND-ISO-10303-21;\n"
