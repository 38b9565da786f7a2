"""Is this resource about an imaging exam? The decision table of `hl7_imaging` for FHIR, first row that answers.

| # | Evidence | Answer |
|---|---|---|
| 1 | it names an imaging study or a Study Instance UID | imaging |
| 2 | a category is one of the server's own `radiology` codes, or the site's `radiology` for it holds `*` | imaging |
| 3 | a category is imaging (SNOMED CT, LOINC), a modality of DICOM or an imaging section of table 0074 | imaging |
| 4 | a category of those tables is anything else (laboratory, surgery, ...) | not imaging |
| 5, 6 | a code or its text names imaging, as in HL7 v2; or a detail is a DICOM modality | imaging |
| 7 | the order it refers to is in the same file | as that order |
| 8 | it only says what became of an order (no code of its own), from a server that the site names | imaging |
| 10 | nothing | not imaging |
"""

from __future__ import annotations

from etl.sources.fhir_file import Item
from etl.sources.fhir_people import DICOM_UID, codings_of
from etl.sources.fhir_resource import Resource, text_of
from etl.sources.hl7_imaging import AMBIGUOUS, MODALITIES, SECTIONS, names_imaging

DCM = "http://dicom.nema.org/resources/ontology/DCM"
TABLE_0074 = ("http://terminology.hl7.org/CodeSystem/v2-0074", "http://hl7.org/fhir/v2/0074")
SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
#: (system, code) of categories that are imaging: imaging procedure, radiology specialty, LOINC class radiology.
IMAGING_CATEGORIES = frozenset({(SNOMED, "363679005"), (SNOMED, "394914008"), (LOINC, "LP29684-5"), (LOINC, "18748-4")})
#: Words of local category systems, upper case.
IMAGING_WORDS = frozenset({"IMAGING", "RADIOLOGY", "DIAGNOSTIC IMAGING", "DIAGNOSTIC-IMAGING"})
OTHER_CATEGORIES = frozenset(
    {
        (SNOMED, "108252007"), (SNOMED, "387713003"), (SNOMED, "409063005"), (SNOMED, "409073007"),
        (SNOMED, "386053000"), (LOINC, "26436-6"), (LOINC, "LP29693-6"), (LOINC, "LP7839-6"),
    }
)  # fmt: skip
#: Where the types keep their category, their code and the details that may be a modality.
CATEGORIES = ("category", "serviceCategory")
CODES = ("code", "serviceType", "procedureCode", "procedure", "reasonCode", "reason")
DETAILS = ("orderDetail", "orderDetail.parameter.valueCodeableConcept", "modality", "series.modality", "category")
STUDIES = ("imagingStudy", "study", "usedReference", "procedureReference", "partOf")
ORDERS = ("basedOn", "focus")
#: Types whose code says what is done to a patient; of the others it says what is done with an order.
CODED_TYPES = frozenset({"ServiceRequest", "DiagnosticReport", "Procedure", "ImagingStudy"})


def modality_of(resource: Resource) -> str | None:
    """DICOM modality among details and categories; table 0074 through the words of `hl7_imaging`."""
    concepts = [node for path in DETAILS for node in resource.nodes(path)]
    codings = codings_of(concepts) + [(text_of(n, "code"), "", text_of(n, "system")) for n in concepts]
    for code, _, system in codings:
        if system == DCM and code.upper() in MODALITIES:
            return code.upper()
    for code, _, system in codings:
        section = SECTIONS.get(code.upper(), code.upper() if code.upper() in MODALITIES - AMBIGUOUS else "")
        if system in TABLE_0074 and section:
            return section
    return None


def is_imaging(resource: Resource) -> bool:
    """The decision table."""
    if _has_study(resource):
        return True
    answer = _by_category(resource)
    if answer is not None:
        return answer
    kind = resource.body["resourceType"]
    codings = codings_of([node for path in CODES for node in resource.nodes(path)])
    if names_imaging(resource.site, resource.common["facility_alias"], codings) or modality_of(resource):
        return True
    for order in resource.references(*ORDERS):
        if order.target.get("resourceType") == "ServiceRequest":
            return is_imaging(Resource(Item(order.target, b""), resource.position, resource.site, {}))
    return kind not in CODED_TYPES and resource.sender.is_mapped


def _has_study(resource: Resource) -> bool:
    if resource.body["resourceType"] == "ImagingStudy" or DICOM_UID in resource.texts("identifier.system"):
        return True
    studies = resource.references(*STUDIES)
    return any(s.type == "ImagingStudy" or s.identifier.get("system") == DICOM_UID for s in studies)


def _by_category(resource: Resource) -> bool | None:
    sections = resource.sender.radiology
    if "*" in sections:
        return True
    codings = codings_of([node for path in CATEGORIES for node in resource.nodes(path)])
    is_other = False
    for code, text, system in codings:
        known = code.upper()
        words = {known, text.upper()} & IMAGING_WORDS
        if code in sections or (system, code) in IMAGING_CATEGORIES or words:
            return True
        if system in TABLE_0074 and known not in AMBIGUOUS:
            if known in MODALITIES or known in SECTIONS:
                return True
            is_other = True
        is_other |= (system, code) in OTHER_CATEGORIES or known == "LABORATORY"
    return False if is_other else None
