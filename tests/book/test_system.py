"""``make system`` installs what is missing where it may, and says elsewhere what a person has to do."""

import subprocess

import pytest

from stablenets.book import system

DEBIAN = 'NAME="Debian GNU/Linux"\nID=debian\n'
UBUNTU = 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n'
MINT = "NAME='Linux Mint'\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"
FEDORA = 'NAME="Fedora Linux"\nID=fedora\n'


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of which the test says what it has; commands are noted in place of being run."""
    ran, there, release = [], {"apt-get"}, tmp_path / "os-release"

    def run(command, **options):
        ran.append(command)
        if "install" in command:
            there.update({"bwrap"} if "bubblewrap" in command else set(), {"chromium"} & set(command))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(system.shutil, "which", lambda name: name if name in there else None)
    monkeypatch.setattr(system.subprocess, "run", run)
    monkeypatch.setattr(system.os, "geteuid", lambda: 0)
    monkeypatch.setattr(system, "distribution", lambda read=system.distribution: read(release))
    release.write_text(DEBIAN, encoding="utf-8")
    return ran, there, release


@pytest.mark.parametrize(
    ("release", "name"), [(DEBIAN, "debian"), (UBUNTU, "ubuntu"), (MINT, "ubuntu"), (FEDORA, "Fedora Linux")]
)
def test_distribution_is_told_by_what_it_is_made_from(tmp_path, release, name):
    (tmp_path / "os-release").write_text(release, encoding="utf-8")
    assert system.distribution(tmp_path / "os-release") == name


def test_what_is_missing_is_installed(machine, capsys):
    ran, _, _ = machine
    assert system.main() == 0
    (install,) = [command for command in ran if "install" in command]
    assert install[-2:] == ["bubblewrap", "chromium"]
    assert "are here" in capsys.readouterr().out


def test_what_is_there_is_left_alone(machine):
    ran, there, _ = machine
    there |= {"bwrap", "google-chrome"}
    assert system.main() == 0
    assert [command for command in ran if "apt-get" in command] == []


def test_who_may_not_install_is_told_what_an_administrator_would_do(machine, monkeypatch, capsys):
    ran, _, _ = machine
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    assert system.main() == 1
    assert ran == []
    assert "It takes an administrator: apt-get install bubblewrap chromium\n" in capsys.readouterr().out


def test_elsewhere_it_is_said_what_to_install(machine, capsys):
    ran, _, release = machine
    release.write_text(FEDORA, encoding="utf-8")
    assert system.main() == 1
    assert ran == []
    printed = capsys.readouterr().out
    assert "On Fedora Linux this is not done for you: install bubblewrap" in printed
    assert "Still missing: bubblewrap and Chromium." in printed


@pytest.mark.parametrize("ci", ["", "true"])
def test_protection_of_the_machine_is_loosened_in_continuous_integration_alone(machine, monkeypatch, capsys, ci):
    ran, there, _ = machine
    there |= {"bwrap", "chromium"}
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(system, "makes_namespaces", lambda bubblewrap: False)
    assert system.main() == 1
    assert [command[-1] for command in ran if "sysctl" in command] == [f"{system.APPARMOR}=0"] * bool(ci)
    assert "forbids user namespaces" in capsys.readouterr().out
