"""An independent reading of the design, without SQL or code of the product: HL7 v2 bytes in, exams and metrics out."""
