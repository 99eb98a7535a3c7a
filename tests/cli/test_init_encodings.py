"""The encoding that `init` proposes for a file that states none."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lib.cli.commands import main
from lib.cli.init.encodings import likely_encoding
from tests.workbooks import workbook

FILES = {
    "german": ("cp1252", "Name;Betrag;Währung|Jürgen Groß;10;EUR|Köln;5;EUR"),
    "one German name": ("cp1252", "Name;Betrag|Jurgen;10|Müller;5"),
    "euros": ("cp1252", "Name;Betrag|Jurgen;10 €|Muller;5 €"),
    "quotes": ("cp1252", "Name,Note|Jane,it’s “fine” – really"),
    "french": ("cp1252", "Prénom;Montant|Mathéo;10|Françoise;5"),
    "portuguese": ("cp1252", "Descrição,Valor|João Conceição,10|Araújo & Irmãos,3"),
    "danish": ("cp1252", "Navn,Beløb|Søren Kjærgård,10|Åse,3"),
    "several languages": ("cp1252", "Name|Jürgen Müller|José Peña|François Bélanger|Søren"),
    "polish": ("cp1250", "Imię;Kwota|Michał Pająk;100|Łukasz Wójcik;12|Zofia;1"),
    "one Polish name": ("cp1250", "Imie;Kwota|Łukasz Wójcik;12|Zofia;1"),
    "czech": ("cp1250", "Jméno,Částka|Jiří Dvořák,10|Žaneta Šimůnková,5"),
    "hungarian": ("cp1250", "Név,Összeg|Gyöngyi Szőke,10|Ödön Tűzoltó,5"),
    "turkish": ("cp1254", "Ad,Tutar|Şükrü Yıldız,10|Çağla Öztürk,5|İpek Güneş,4"),
    "lithuanian": ("cp1257", "Vardas,Suma|Jūratė Žukauskienė,10|Šarūnas,5"),
    "russian": ("cp1251", "Имя,Сумма|Иван Петров,100|Мария Сидорова,50"),
    "greek": ("cp1253", "Όνομα,Ποσό|Γιώργος Παπαδόπουλος,10|Μαρία,5"),
    "japanese": ("cp932", "注文番号,氏名,支払合計|1,山田太郎,1000|2,佐藤花子,2000"),
    "katakana": ("cp932", "オーダー,カナ|1,ヤマダ タロウ|2,サトウ"),
    "chinese": ("gb18030", "订单编号,姓名,金额|1,张伟,100|2,王芳,200"),
    "taiwanese": ("big5", "訂單編號,姓名,金額|1,陳大文,100|2,林小姐,200"),
    "korean": ("cp949", "주문번호,이름,금액|1,김철수,100|2,이영희,200"),
    "mac": ("mac_roman", "Name;Betrag;Währung|Jürgen Groß;10;EUR|Köln;5;EUR"),
    "dos": ("cp850", "Name;Betrag;Währung|Jürgen Groß;10;EUR|Köln;5;EUR"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", [False, True])
def test_the_letters_tell(name: str, packed: bool) -> None:
    """Few names are enough: their letters make sense in one encoding only."""
    encoding, text = FILES[name]
    content = text.replace("|", "\r\n").encode(encoding)
    assert likely_encoding(io.BytesIO(gzip.compress(content) if packed else content)) == encoding


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"gclid,email\nA,ada@example.com\n",
        "Währung".encode(),
        "Währung".encode("utf-8-sig"),
        "Währung".encode("utf-16"),
        "Währung".encode("utf-16-le"),
        workbook([["Währung"]]),
    ],
)
def test_nothing_to_find_out(content: bytes) -> None:
    """UTF-8, UTF-16 and ASCII are certain, and a workbook has no encoding."""
    assert likely_encoding(io.BytesIO(content)) is None


@pytest.mark.parametrize(
    ("text", "encoding", "keys"),
    [
        ("{}", "cp932", {"encoding": "cp932"}),
        ("{}", "utf-8", {}),
        ("11月の売上\n{}", "cp932", {"encoding": "cp932", "header_row": 2}),
        ("Parameters:TimeZone=Asia/Tokyo\n{}", "utf-8", {}),
        ("顧客,,注文\n{}", "utf-8", {"header_row": 2}),
    ],
)
def test_the_profile_pins_it(
    tmp_path: Path, text: str, encoding: str, keys: dict[str, object]
) -> None:
    """What is not certain in the file is in the profile, and then the file is read with it."""
    table = "Email,氏名,Conversion time,Order ID\n"
    table += "ada@example.com,山田太郎,2026-11-20 10:00:00+09:00,7\n"
    path = tmp_path / "deals.csv"
    path.write_bytes(text.format(table).encode(encoding))
    options = ["--customer-id", "1234567890", "--action", "1001", "--now", "2026-11-24T12:00:00Z"]
    options += ["--time-zone", "UTC", "--quiet"]
    done = CliRunner().invoke(main, ["init", str(path), *options])
    assert done.exit_code == 0, done.output
    lines = [line for line in done.stdout.splitlines() if not line.lstrip().startswith("//")]
    profile = json.loads("\n".join(lines))["default"]
    assert {key: profile[key] for key in ("encoding", "header_row") if key in profile} == keys
