# SPDX-License-Identifier: GPL-2.0
"""Config space of the devices, before and after, and what `check` makes of it."""
import json

from e2e import HOLDFAST, Base, config_space


CONFIG_AT = 0x100000  # FAKE_CONFIG_AT
MAP = """persona-map 1
persona "nic" version 1
bar 0 keep
cap pm at 0x40 from device
cap exp at 0xa0 from device
"""


class Config(Base):
    """Config space of the devices, before and after, and what `check` makes of it."""

    def setUp(self):
        super().setUp()
        self.config = self.dir / "config"
        self.config.write_bytes(config_space())
        self.env["FAKE_CONFIG"] = str(self.config)
        self.map = self.dir / "nic.persona"
        self.map.write_text(MAP)

    def after(self, changes=(), device="01", size=None):
        """In the new kernel, the device shows something else."""
        with open(self.dir / f"kernel/vfio-0000:{device}:00.0", "r+b") as f:
            for at, value in dict(changes).items():
                f.seek(CONFIG_AT + at)
                f.write(value)
            if size is not None:
                f.truncate(CONFIG_AT + size)

    def update(self, *options, **kw):
        p, said = self.save("vm0", *options)
        self.assertEqual(said["state"], "ready", said)
        self.kexec(p)
        self.after(**kw)
        code, said, err = self.resume()
        self.assert_running(code, said, err)
        return err

    def check(self, *names):
        code, out, err = self.run_(HOLDFAST, "check", *names)
        code_json, out_json, _ = self.run_(HOLDFAST, "check", "--json", *names)
        self.assertEqual(code, code_json)
        return code, out, err, json.loads(out_json)

    # One extended capability more, at the end of the list.
    new_cap = {0x162: b"\x01\x30", 0x300: b"\x03\x00\x01\x00"}

    def test_nothing_changes(self):
        err = self.update()
        self.assertNotIn("holdfast check", err)
        code, out, err, all_ = self.check("vm0")
        self.assertEqual((code, out), (0, "vm0: the guest could see no change\n"), err)
        self.assertEqual(all_, [{"vm": "vm0", "changes": [], "failed": []}])

    def test_twin_something_does(self):
        err = self.update(changes={0xa4: b"\x21"})
        self.assertIn("vm0: the guest could see its devices change: holdfast check vm0", err)
        code, out, err, all_ = self.check()
        self.assertEqual(code, 3, err)
        self.assertIn("exp.devcap (0x0a4): from 0x10008020 to 0x10008021\n", out)
        self.assertEqual([(c["register"], c["before"], c["after"], c["bits"], c["noticed"])
                          for c in all_[0]["changes"]], [("exp.devcap", 0x10008020, 0x10008021, 1, True)])

    def test_new_capability(self):
        self.update(changes=self.new_cap)
        code, out, err, _ = self.check("vm0")
        self.assertEqual(code, 3, err)
        self.assertIn("0x300", out)

    def test_persona_keeps_it_from_the_guest(self):
        self.assertNotIn("holdfast check", self.update("--persona", self.map, changes=self.new_cap))
        code, out, err, _ = self.check("vm0")
        self.assertEqual((code, out), (0, "vm0: the guest could see no change\n"), err)

    def test_persona_of_one_device(self):
        """The other two are without."""
        self.map.write_text(MAP)
        p, said = self.save("vm0", "--persona", f"0000:09:00.0={self.map}")
        self.assertEqual(said["state"], "refused")
        self.assertIn("0000:09:00.0", said["reason"])
        self.assert_went_on(p)

    def test_state_does_not_count(self):
        self.update(changes={0xaa: b"\x01"})
        code, out, err, all_ = self.check("vm0")
        self.assertEqual(code, 0, out)
        self.assertIn("(state, which changes by itself)", out)
        self.assertEqual([c["noticed"] for c in all_[0]["changes"]], [False])

    def test_cannot_be_its_persona_any_more(self):
        """PCI Express is out of the list: more than a register that differs."""
        err = self.update("--persona", self.map, changes={0x71: b"\0"})
        self.assertIn("holdfast check vm0", err)
        code, out, err, all_ = self.check("vm0")
        self.assertEqual(code, 3, err)
        self.assertIn("exp", out)
        self.assertEqual([f["noticed"] for f in all_[0]["failed"]], [True])

    def test_not_compared_is_not_unchanged(self):
        """Nor does one device keep another from being compared."""
        p, said = self.save()
        self.kexec(p)
        self.after(size=0)
        self.after(device="02", changes=self.new_cap)
        code, said, err = self.resume()
        self.assert_running(code, said, err)
        self.assertIn("vm0: config space of 1 devices was not compared", err)
        code, out, err, all_ = self.check("vm0")
        self.assertEqual(code, 3)
        self.assertIn("not compared: the device on fd ", out)
        self.assertIn("0x300", out)
        self.assertEqual([f["noticed"] for f in all_[0]["failed"]], [False])

    def test_none_compared(self):
        del self.env["FAKE_CONFIG"]
        self.update()
        code, out, err, all_ = self.check("vm0")
        self.assertEqual(code, 1)
        self.assertEqual(out.count("not read before the update"), 3)
        self.assertEqual(len(all_[0]["failed"]), 3)

    def test_persona_is_refused(self):
        for text, why in ((MAP + "cap vpd at 0x60 from device\n", "the device has no vpd capability"),
                          (MAP + "cap bogus\n", "bogus")):
            self.map.write_text(text)
            p, said = self.save("vm0", "--persona", self.map)
            self.assertEqual(said["state"], "refused")
            self.assertIn(why, said["reason"])
            self.assert_went_on(p)
            self.unpreserve()

    def test_all_vms(self):
        code, out, err, all_ = self.check()
        self.assertEqual((code, out, all_), (1, "", []), "nothing was compared")
        self.assertIn("no VM of this host has come through an update", err)
        self.update()
        record = self.record()
        (self.dir / "run/never.json").write_text(json.dumps({k: v for k, v in record.items() if k != "compared"}))
        code, out, err, all_ = self.check()
        self.assertEqual((code, [v["vm"] for v in all_]), (0, ["vm0"]), err)
        code, out, err, all_ = self.check("vm0", "never", "nobody")
        self.assertEqual((code, [v["vm"] for v in all_]), (1, ["vm0"]))
        self.assertIn("never: its devices were not compared: it is running", err)
        self.assertIn("no VM named nobody", err)

    def test_damaged_record(self):
        self.update()
        record = self.record()
        for compared in ([], {}, {"changes": 1, "failed": []}, {"changes": []}):
            (self.dir / "run/vm0.json").write_text(json.dumps(dict(record, compared=compared)))
            code, out, err, _ = self.check("vm0")
            self.assertEqual(code, 1, compared)
            self.assertIn("compared", err)
        for odd in (1, None, [], {}):
            (self.dir / "run/vm0.json").write_text(json.dumps(dict(record, compared={"changes": [odd],
                                                                                    "failed": [odd]})))
            self.assertEqual(self.check("vm0")[0], 1, odd)
