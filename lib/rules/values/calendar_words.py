"""The names of months and weekdays in seven languages, and as exports shorten them.

English, German, French, Spanish, Italian, Dutch, Portuguese. A test checks that no name means
different months. Accents make no difference: März is Marz, février fevrier.
"""

from typing import Final

_MONTH_NAMES: Final = """
january januar jan janner janvier janv enero ene gennaio gen januari janeiro
february feb februar feber fevrier fevr fev febrero febbraio februari fevereiro
march mar marz maerz mrz mars marzo maart mrt marco
april apr avril avr abril abr aprile
may mai mayo maggio mag mei maio
june jun juni juin junio giugno giu junho
july jul juli juillet juil julio luglio lug julho
august aug aout agosto ago augustus
september sept sep septembre septiembre settembre set setembro
october oct oktober okt octobre octubre ottobre ott outubro out
november nov novembre noviembre novembro
december dec dezember dez decembre diciembre dic dicembre dezembro
"""
_WEEKDAY_NAMES: Final = """
monday mon montag mo lundi lun lunes lunedi maandag ma segunda segunda-feira seg
tuesday tue tues dienstag di mardi martes mar martedi dinsdag terca terca-feira ter
wednesday wed mittwoch mi mercredi mer miercoles mie mercoledi woensdag wo quarta quarta-feira qua
thursday thu thurs donnerstag do jeudi jeu jueves jue giovedi gio donderdag quinta quinta-feira qui
friday fri freitag fr vendredi ven viernes vie venerdi vrijdag vr sexta sexta-feira sex
saturday sat samstag sonnabend sa samedi sam sabado sab sabato zaterdag za
sunday sun sonntag so dimanche dim domingo dom domenica zondag zo
"""


def _numbers(lines: str, first: int) -> dict[str, int]:
    """Return name → number of its line."""
    numbered = enumerate(lines.split("\n")[1:-1], first)
    return {name: number for number, line in numbered for name in line.split()}


MONTHS: Final = _numbers(_MONTH_NAMES, 1)
"""january → 1. The names are in lower case and without accents."""

WEEKDAYS: Final = _numbers(_WEEKDAY_NAMES, 0)
"""monday → 0, as `datetime.weekday` counts."""
