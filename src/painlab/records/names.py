"""What opioids are called: generic names in several languages, brands, compounds with a name of their own.

Brand names and what they hold are those of product labels; where a label is not at hand the table follows common use (assumption).
"""

from functools import cache
from typing import Final, NamedTuple


class Named(NamedTuple):
    """What a name alone says: the ingredient, and how it is given if the name fixes that."""

    ingredient: str
    route: str = ""


PATCH: Final = "transdermal patch"
TABLET: Final = "buccal or sublingual tablet or lozenge"
FILM: Final = "film or oral spray"
NASAL_SPRAY: Final = "nasal spray"
MUCOSAL: Final = "sublingual or buccal"
INJECTION: Final = "injection"

_GENERIC: Final = """
buprenorphine: buprenorphin buprenorfina buprenorfine buprenorfin
butorphanol: butorphanolum butorfanol
codeine: codein codeina kodein codeinum
dihydrocodeine: dihydrocodein dihidrocodeina diidrocodeina drocode
fentanyl: fentanil fentanilo fentanila fentanylum
hydrocodone: hydrocodon hidrocodona idrocodone hydrocod
hydromorphone: hydromorphon hidromorfona idromorfone hydromorfon
levomethadyl: levacetylmethadol laam
levorphanol: levorfanol
meperidine: pethidine pethidin petidina meperidina petidin
methadone: methadon metadona metadone metadon
morphine: morphin morfina morfine morfin morphium
opium: opio paregoric laudanum
oxycodone: oxycodon oxicodona ossicodone oksikodon oxycod oxikodon
oxymorphone: oxymorphon oximorfona ossimorfone
pentazocine: pentazocin pentazocina
tapentadol: tapentadolo
tramadol: tramadolo tramadole tramadolum
alfentanil: alfentanilo
dextropropoxyphene: propoxyphene dextropropoxyphen propoxyphen propoxy
diamorphine: diacetylmorphine diamorphin heroin
dipipanone: dipipanon
levomethadone: levomethadon levometadona
meptazinol: meptazinolum
nalbuphine: nalbuphin nalbufina
oliceridine: oliceridin
piritramide: piritramid piritramida
remifentanil: remifentanilo
sufentanil: sufentanilo
tilidine: tilidin tilidina
"""
"""Ingredient, and how else it is written; from alfentanil on, opioids to which no version gives a factor."""

_BRANDS: Final = """
buprenorphine | transdermal patch: butrans norspan butec transtec sevodyne panitaz hapoctasin bupeaze carlosafine relevtec buplast
buprenorphine | transdermal patch: reletrans
buprenorphine | sublingual or buccal: suboxone subutex zubsolv bunavail belbuca temgesic espranor orexo natzon tephine prefibin
buprenorphine | injection: sublocade buprenex brixadi buvidal simbadol
buprenorphine | implant: probuphine sixmo
butorphanol | nasal: stadol
codeine | oral: tylex solpadol kapake zapain codipar panadeine codalgin nurofen-plus solpadeine
codeine | oral: tuxarin tuzistra cheratussin robitussin-ac mar-cof virtussin codicaps codipront
codeine | oral: dafalgan-codeine co-codamol cocodamol co-codaprin
dihydrocodeine | oral: synalgos-dc trezix panlor dvorah dhc paracodin codidol co-dydramol remedeine paramol df118 dicodin
fentanyl | transdermal patch: duragesic durogesic matrifen mezolar fencino victanyl osmanil opiodur yemex mylafent fentalis tilofyl
fentanyl | iontophoretic: ionsys
fentanyl | buccal or sublingual tablet or lozenge: actiq abstral fentora effentora vellofent recivit oravescent
fentanyl | film or oral spray: onsolis subsys breakyl
fentanyl | nasal spray: lazanda instanyl pecfent
fentanyl | injection: sublimaze
hydrocodone | oral: vicodin norco lortab lorcet xodol zohydro hysingla vicoprofen verdrocet reprexain ibudone xylon zydone maxidone
hydrocodone | oral: anexsia co-gesic hycet zamicet zolvit stagesic vantrela hycodan hydromet tussigon tussionex tussicaps vituz
hydrocodone | oral: zutripro rezira flowtuss hycofenix obredon p-v-tussin
hydromorphone | oral: dilaudid exalgo palladone palladon jurnista opidol hydal
levomethadyl | oral: orlaam
levorphanol | oral: levo-dromoran levodromoran
meperidine | oral: demerol dolantin dolantina meperitab dolosal
methadone | oral: dolophine methadose diskets physeptone metadol metasedin biodone heptadon methaddict eptadone
levomethadone | oral: polamidon l-polamidon
morphine | oral: kadian avinza embeda arymo morphabond msir roxanol oramorph sevredol zomorph mst morphgesic mxl skenan actiskenan
morphine | oral: moscontin kapanol sevre-long dolcontin m-eslon statex ms-contin ms-mono mscontin
morphine | injection: duramorph astramorph infumorph depodur mitigo
oxycodone | oral: oxycontin roxicodone roxybond xtampza oxaydo oxecta percocet percodan endocet endodan roxicet tylox xartemis
oxycodone | oral: primlev magnacet xolox nalocet prolate primalev oxyir oxyfast oxynorm longtec shortec targin targiniq targinact
oxycodone | oral: endone proladone supeudol dolocodon oxygesic oxydone lynlor oxypro oxyact combunox oxeltra carexil abtard
oxymorphone | oral: opana numorphan
pentazocine | oral: talwin talacen fortral fortwin
tapentadol | oral: nucynta palexia yantil ationdo tapcore
tramadol | oral: ultram ultracet ryzolt conzip rybix qdolo seglentis zydol zamadol tramal contramal topalgic ixprim zaldiar tramacet
tramadol | oral: tradonal marol maxitram tramulief mabron tradorec zytram durotram tridural ralivia adolonta
dextropropoxyphene | oral: darvocet darvon distalgesic di-antalvic co-proxamol doloxene
tilidine | oral: valoron
piritramide | injection: dipidolor
nalbuphine | injection: nubain
sufentanil | injection: sufenta dsuvia zalviso
meptazinol | oral: meptid
dipipanone | oral: diconal
alfentanil | injection: rapifen alfenta
remifentanil | injection: ultiva
oliceridine | injection: olinvyk
"""
"""Ingredient, how it is given, and brands."""

TYLENOL: Final = {"1": 7.5, "2": 15.0, "3": 30.0, "4": 60.0}
"""mg of codeine in "Tylenol #3" and the like: the numbers on US and Canadian labels."""

_PARTNERS: Final = """
    acetaminophen acetaminophn acetaminop acetamin apap paracetamol parazetamol paracetamolo ibuprofen ibuprofeno aspirin asa
    acetylsalicylic caffeine coffein butalbital carisoprodol naloxone naloxon naltrexone naltrexon celecoxib dexketoprofen diclofenac
    guaifenesin chlorpheniramine pseudoephedrine homatropine promethazine brompheniramine phenylephrine
"""
PARTNERS: Final = frozenset(_PARTNERS.split())
"""What stands beside an opioid in a compound, so that "5-325" is read in the order of the names."""

ANTAGONISTS: Final = frozenset({"naloxone", "naloxon", "naltrexone", "naltrexon"})
_COUGH: Final = """
    guaifenesin chlorpheniramine pseudoephedrine homatropine promethazine brompheniramine phenylephrine
    tuxarin tuzistra cheratussin robitussin-ac mar-cof virtussin codicaps codipront hycodan hydromet tussigon tussionex tussicaps vituz
    zutripro rezira flowtuss hycofenix obredon p-v-tussin
"""
COUGH: Final = frozenset(_COUGH.split())
"""Partners and brands of cough and cold products, which the CDC's file of 2018 leaves out."""

LARGEST_FIRST: Final = frozenset({"targin", "targiniq", "targinact", "suboxone", "zubsolv", "bunavail", "embeda", "talwin", "valoron"})
"""Compounds with an antagonist, in which the opioid has the larger figure."""

MOST_PER_UNIT: Final = {
    "buprenorphine": 24.0, "butorphanol": 10.0, "codeine": 240.0, "dihydrocodeine": 120.0, "fentanyl": 1.6, "hydrocodone": 120.0,
    "hydromorphone": 64.0, "levomethadyl": 140.0, "levorphanol": 4.0, "meperidine": 150.0, "methadone": 40.0, "morphine": 200.0,
    "opium": 100.0, "oxycodone": 160.0, "oxymorphone": 40.0, "pentazocine": 100.0, "tapentadol": 250.0, "tramadol": 400.0,
}  # fmt: skip
"""mg in the strongest tablet, capsule, film or milliliter that we know to have been sold: an assumption, for plausibility only."""

MOST_PER_HOUR: Final = {"fentanyl": 100.0, "buprenorphine": 70.0}
"""mcg/h of the strongest patch, likewise."""


@cache
def known() -> dict[str, Named]:
    """Every name in lower case, with what it says alone."""
    found = {}
    for line in _GENERIC.strip().splitlines():
        ingredient, _, others = line.partition(": ")
        for name in (ingredient, *others.split()):
            found[name] = Named(ingredient)
    for line in _BRANDS.strip().splitlines():
        left, _, brands = line.partition(": ")
        ingredient, _, route = left.partition(" | ")
        for name in brands.split():
            found[name] = Named(ingredient, route)
    return found
