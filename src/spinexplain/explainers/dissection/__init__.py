"""Network dissection: what each unit of a layer responds to, and which units say *fracture*."""
