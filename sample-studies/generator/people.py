"""Invented people, hospital and codici fiscali. Nobody here exists: the surnames say so."""

import unicodedata
from dataclasses import dataclass
from datetime import date

from pydicom.dataset import Dataset

from .dicom import uid

HOSPITAL = "Ospedale di Prova"
DEPARTMENT = "Radiologia"
HOSPITAL_OID = uid("hospital")
MRN_ISSUER = "OSPEDALE_PROVA"
MRN_OID = uid("hospital/patients")
ACCESSION_OID = uid("hospital/accessions")
CF_ISSUER = "MEF"
CF_OID = "2.16.840.1.113883.2.9.4.3.2"
NRE_OID = "2.16.840.1.113883.2.9.4.3.9"
ROME, MILAN, NAPLES, TURIN = "H501", "F205", "F839", "L219"

_MONTHS = "ABCDEHLMPRST"
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)))


def _letters(text):
    plain = unicodedata.normalize("NFD", text.upper().replace("Ł", "L"))
    return [c for c in plain if "A" <= c <= "Z"]


def _three(text, given=False):
    letters = _letters(text)
    consonants = [c for c in letters if c not in "AEIOU"]
    if given and len(consonants) > 3:
        consonants.pop(1)
    vowels = [c for c in letters if c in "AEIOU"]
    return "".join((consonants + vowels + ["X"] * 3)[:3])


def check_letter(fifteen):
    """The last letter of a codice fiscale (D.M. 23 December 1976)."""
    total = sum(_ODD[c] for c in fifteen[::2])
    total += sum(int(c) if c.isdigit() else ord(c) - ord("A") for c in fifteen[1::2])
    return chr(ord("A") + total % 26)


def codice_fiscale(surname, name, born, sex, place):
    """The codice fiscale a person of these data would have."""
    day = born.day + (40 if sex == "F" else 0)
    body = f"{_three(surname)}{_three(name, given=True)}{born:%y}{_MONTHS[born.month - 1]}{day:02}{place}"
    return body + check_letter(body)


@dataclass(frozen=True)
class Person:
    surname: str
    name: str
    born: date
    sex: str
    mrn: str
    place: str = ""
    written: str = ""  # the DICOM name, when it has more than one writing
    notes: str = "Dati di prova: persona inventata"

    @property
    def dicom_name(self):
        return self.written or f"{self.surname}^{self.name}"

    @property
    def cf(self):
        return codice_fiscale(self.surname, self.name, self.born, self.sex, self.place) if self.place else ""


ANNA = Person("Esempi", "Anna Lucìa", date(1968, 6, 21), "F", "P0001042", ROME)
NICOLO = Person("D'Esempio", "Nicolò", date(1957, 3, 14), "M", "P0002718", NAPLES)
ZOE = Person("Fittizi", "Zoë", date(1984, 11, 2), "F", "P0003141", MILAN)

RADIOLOGIST = Person("Refertini", "Chiara", date(1975, 9, 9), "F", "", TURIN)
CARDIOLOGIST = Person("Cuordoro", "Èlia", date(1970, 1, 30), "M", "", MILAN)
REFERRER = Person("Curanti", "Nicolò", date(1966, 12, 5), "M", "", ROME)
TECHNICIAN = Person("Tecnici", "Desirée", date(1991, 4, 18), "F", "", TURIN)


def issuer_item(oid, type_code=None):
    """One item of an issuer's qualifiers (PS3.3 §C.7.1.1): the assigner's OID."""
    item = Dataset()
    item.UniversalEntityID = oid
    item.UniversalEntityIDType = "ISO"
    if type_code:
        item.IdentifierTypeCode = type_code
    return item


def identify(ds, person, by="mrn"):
    """Write the Patient Module. `by`: "mrn" (with the codice fiscale as another id), "cf", or
    "bare" (an id nobody is said to have issued)."""
    ds.PatientName = person.dicom_name
    ds.PatientBirthDate = f"{person.born:%Y%m%d}"
    ds.PatientSex = person.sex
    ds.PatientComments = person.notes
    if by == "bare":
        ds.PatientID = person.cf or person.mrn
        return
    if by == "cf":
        ds.PatientID, ds.IssuerOfPatientID = person.cf, CF_ISSUER
        ds.IssuerOfPatientIDQualifiersSequence = [issuer_item(CF_OID, "NNITA")]
        ds.TypeOfPatientID = "TEXT"
        return
    ds.PatientID, ds.IssuerOfPatientID = person.mrn, MRN_ISSUER
    ds.IssuerOfPatientIDQualifiersSequence = [issuer_item(MRN_OID, "MR")]
    if person.cf:
        other = Dataset()
        other.PatientID, other.IssuerOfPatientID = person.cf, CF_ISSUER
        other.TypeOfPatientID = "TEXT"
        other.IssuerOfPatientIDQualifiersSequence = [issuer_item(CF_OID, "NNITA")]
        ds.OtherPatientIDsSequence = [other]
