"""Countries: two-letter code, three-letter code or usual name -> two-letter code."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from lib.rules.values.cells import plain_name

# ISO 3166-1, and XK, which Google uses for Kosovo. A test compares the codes with the list in the
# IANA time zone database (iso3166.tab).
_COUNTRIES: Final = """
AD AND Andorra, AE ARE United Arab Emirates, AF AFG Afghanistan, AG ATG Antigua and Barbuda,
AI AIA Anguilla, AL ALB Albania, AM ARM Armenia, AO AGO Angola, AQ ATA Antarctica,
AR ARG Argentina, AS ASM American Samoa, AT AUT Austria, AU AUS Australia, AW ABW Aruba,
AX ALA Åland Islands, AZ AZE Azerbaijan, BA BIH Bosnia and Herzegovina, BB BRB Barbados,
BD BGD Bangladesh, BE BEL Belgium, BF BFA Burkina Faso, BG BGR Bulgaria, BH BHR Bahrain,
BI BDI Burundi, BJ BEN Benin, BL BLM Saint Barthelemy, BM BMU Bermuda, BN BRN Brunei,
BO BOL Bolivia, BQ BES Caribbean Netherlands, BR BRA Brazil, BS BHS Bahamas, BT BTN Bhutan,
BV BVT Bouvet Island, BW BWA Botswana, BY BLR Belarus, BZ BLZ Belize, CA CAN Canada,
CC CCK Cocos Islands, CD COD DR Congo, CF CAF Central African Republic, CG COG Congo,
CH CHE Switzerland, CI CIV Côte d'Ivoire, CK COK Cook Islands, CL CHL Chile, CM CMR Cameroon,
CN CHN China, CO COL Colombia, CR CRI Costa Rica, CU CUB Cuba, CV CPV Cape Verde, CW CUW Curaçao,
CX CXR Christmas Island, CY CYP Cyprus, CZ CZE Czechia, DE DEU Germany, DJ DJI Djibouti,
DK DNK Denmark, DM DMA Dominica, DO DOM Dominican Republic, DZ DZA Algeria, EC ECU Ecuador,
EE EST Estonia, EG EGY Egypt, EH ESH Western Sahara, ER ERI Eritrea, ES ESP Spain,
ET ETH Ethiopia, FI FIN Finland, FJ FJI Fiji, FK FLK Falkland Islands, FM FSM Micronesia,
FO FRO Faroe Islands, FR FRA France, GA GAB Gabon, GB GBR United Kingdom, GD GRD Grenada,
GE GEO Georgia, GF GUF French Guiana, GG GGY Guernsey, GH GHA Ghana, GI GIB Gibraltar,
GL GRL Greenland, GM GMB Gambia, GN GIN Guinea, GP GLP Guadeloupe, GQ GNQ Equatorial Guinea,
GR GRC Greece, GS SGS South Georgia and the South Sandwich Islands, GT GTM Guatemala, GU GUM Guam,
GW GNB Guinea-Bissau, GY GUY Guyana, HK HKG Hong Kong, HM HMD Heard Island and McDonald Islands,
HN HND Honduras, HR HRV Croatia, HT HTI Haiti, HU HUN Hungary, ID IDN Indonesia, IE IRL Ireland,
IL ISR Israel, IM IMN Isle of Man, IN IND India, IO IOT British Indian Ocean Territory,
IQ IRQ Iraq, IR IRN Iran, IS ISL Iceland, IT ITA Italy, JE JEY Jersey, JM JAM Jamaica,
JO JOR Jordan, JP JPN Japan, KE KEN Kenya, KG KGZ Kyrgyzstan, KH KHM Cambodia, KI KIR Kiribati,
KM COM Comoros, KN KNA Saint Kitts and Nevis, KP PRK North Korea, KR KOR South Korea,
KW KWT Kuwait, KY CYM Cayman Islands, KZ KAZ Kazakhstan, LA LAO Laos, LB LBN Lebanon,
LC LCA Saint Lucia, LI LIE Liechtenstein, LK LKA Sri Lanka, LR LBR Liberia, LS LSO Lesotho,
LT LTU Lithuania, LU LUX Luxembourg, LV LVA Latvia, LY LBY Libya, MA MAR Morocco, MC MCO Monaco,
MD MDA Moldova, ME MNE Montenegro, MF MAF Saint Martin, MG MDG Madagascar,
MH MHL Marshall Islands, MK MKD North Macedonia, ML MLI Mali, MM MMR Myanmar, MN MNG Mongolia,
MO MAC Macao, MP MNP Northern Mariana Islands, MQ MTQ Martinique, MR MRT Mauritania,
MS MSR Montserrat, MT MLT Malta, MU MUS Mauritius, MV MDV Maldives, MW MWI Malawi, MX MEX Mexico,
MY MYS Malaysia, MZ MOZ Mozambique, NA NAM Namibia, NC NCL New Caledonia, NE NER Niger,
NF NFK Norfolk Island, NG NGA Nigeria, NI NIC Nicaragua, NL NLD Netherlands, NO NOR Norway,
NP NPL Nepal, NR NRU Nauru, NU NIU Niue, NZ NZL New Zealand, OM OMN Oman, PA PAN Panama,
PE PER Peru, PF PYF French Polynesia, PG PNG Papua New Guinea, PH PHL Philippines,
PK PAK Pakistan, PL POL Poland, PM SPM Saint Pierre and Miquelon, PN PCN Pitcairn,
PR PRI Puerto Rico, PS PSE Palestine, PT PRT Portugal, PW PLW Palau, PY PRY Paraguay,
QA QAT Qatar, RE REU Réunion, RO ROU Romania, RS SRB Serbia, RU RUS Russia, RW RWA Rwanda,
SA SAU Saudi Arabia, SB SLB Solomon Islands, SC SYC Seychelles, SD SDN Sudan, SE SWE Sweden,
SG SGP Singapore, SH SHN Saint Helena, SI SVN Slovenia, SJ SJM Svalbard and Jan Mayen,
SK SVK Slovakia, SL SLE Sierra Leone, SM SMR San Marino, SN SEN Senegal, SO SOM Somalia,
SR SUR Suriname, SS SSD South Sudan, ST STP Sao Tome and Principe, SV SLV El Salvador,
SX SXM Sint Maarten, SY SYR Syria, SZ SWZ Eswatini, TC TCA Turks and Caicos Is, TD TCD Chad,
TF ATF French Southern Territories, TG TGO Togo, TH THA Thailand, TJ TJK Tajikistan,
TK TKL Tokelau, TL TLS Timor-Leste, TM TKM Turkmenistan, TN TUN Tunisia, TO TON Tonga,
TR TUR Turkey, TT TTO Trinidad and Tobago, TV TUV Tuvalu, TW TWN Taiwan, TZ TZA Tanzania,
UA UKR Ukraine, UG UGA Uganda, UM UMI US Minor Outlying Islands, US USA United States,
UY URY Uruguay, UZ UZB Uzbekistan, VA VAT Vatican City, VC VCT Saint Vincent, VE VEN Venezuela,
VG VGB British Virgin Islands, VI VIR US Virgin Islands, VN VNM Vietnam, VU VUT Vanuatu,
WF WLF Wallis and Futuna, WS WSM Samoa, XK XKX Kosovo, YE YEM Yemen, YT MYT Mayotte,
ZA ZAF South Africa, ZM ZMB Zambia, ZW ZWE Zimbabwe
"""
# As exports, people and ISO 3166 write them; for larger markets, also in the languages of their
# neighbours. Without accents, and with `and` instead of `&`.
_OTHER_NAMES: Final = """
AE uae
AT osterreich; oesterreich; autriche
AU australien
BA bosnia
BE belgien; belgique; belgie
BN brunei darussalam
BO bolivia, plurinational state of
BR brasil; brasilien; bresil
BS the bahamas
CA kanada
CD congo, the democratic republic of the; congo, democratic republic of the
CD democratic republic of the congo
CH schweiz; suisse; svizzera; suiza
CI ivory coast
CV cape verde
CZ czech republic; cesko; ceska republika; tschechien
DE deutschland; allemagne; alemania; alemanha; germania; duitsland
DK danemark; danmark
ES espana; spanien; espagne; spagna; espanha
FI suomi; finnland
FR frankreich; francia; franca; frankrijk
GB uk; great britain; england; scotland; wales; northern ireland
GB united kingdom of great britain and northern ireland; u.k.; grossbritannien
GB vereinigtes konigreich; royaume-uni; reino unido; regno unito
GM the gambia
GR griechenland
HK hong kong sar china; hong kong sar
HR hrvatska
HU magyarorszag; ungarn
IE republic of ireland; irland; eire
IN indien
IR iran, islamic republic of
IT italia; italien; italie
JP japon
KN saint kitts; st. kitts and nevis
KR korea, republic of; republic of korea; korea (south)
LA lao people's democratic republic
LC st. lucia
LI liechtenstein
LU luxemburg
MD moldova, republic of; republic of moldova
MK macedonia
MM burma
MO macau; macao sar china; macao sar
MX mexiko
NL the netherlands; holland; niederlande; nederland; pays-bas
NO norge; norwegen
PH the philippines
PL polska; polen; pologne
PS palestine, state of
RO rumanien
RU russian federation
SE sverige; schweden
SI slovenija
SK slovensko; slowakei
SY syrian arab republic
SZ swaziland
TC turks and caicos islands
TL east timor
TR turkiye; turkei
TW taiwan, province of china
TZ tanzania, united republic of; united republic of tanzania
US united states of america; u.s.; u.s.a.; u.s.a; united states (us); vereinigte staaten
US etats-unis; estados unidos; stati uniti
VA holy see
VC saint vincent and the grenadines; st. vincent and the grenadines
VE venezuela, bolivarian republic of
VN viet nam
"""


def find_country_code(value: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code for `us`, `USA` or `United States`. None: unknown."""
    codes = _codes_by_name()
    return codes.get(value) or codes.get(plain_name(value))


@cache
def _codes_by_name() -> dict[str, str]:
    """Return each way to write a country → its two letters: `us`, `usa`, `united states` → US."""
    codes: dict[str, str] = {}
    for line in _OTHER_NAMES.strip().split("\n"):
        code, _, names = line.partition(" ")
        codes |= dict.fromkeys(names.split("; "), code)
    for code, longer, name in _entries():
        codes |= {code: code, code.lower(): code, longer.lower(): code, plain_name(name): code}
    return codes


def _entries() -> Iterator[list[str]]:
    """Yield the two codes and the name of each country."""
    for entry in _COUNTRIES.replace("\n", " ").split(", "):
        yield entry.strip().rstrip(",").split(" ", 2)


def country_names() -> dict[str, str]:
    """Return two-letter code → usual name."""
    return {code: name for code, _, name in _entries()}
