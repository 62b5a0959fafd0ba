//! The kinds of product in the made-up shop, with their prices and attributes.

/// What all products of a kind have in common.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The category levels, outermost first, with ` > ` between them.
    pub(super) categories: &'static str,
    /// The lowest and the highest price, in whole US dollars.
    pub(super) dollars: (u32, u32),
    pub(super) attributes: &'static [Attribute],
    /// The sentence that describes a product; `{name}` stands for the value of an attribute.
    pub(super) pitch: &'static str,
}

pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) values: Values,
    /// Whether the title shows the value.
    pub(super) in_title: bool,
}

pub(super) enum Values {
    Text(&'static [&'static str]),
    /// Numbers with a unit for people; the attribute holds the number alone.
    Number(&'static [f64], &'static str),
    Flag,
}

const fn text(name: &'static str, values: &'static [&'static str]) -> Attribute {
    let values = Values::Text(values);
    Attribute {
        name,
        values,
        in_title: false,
    }
}

const fn number(name: &'static str, values: &'static [f64], unit: &'static str) -> Attribute {
    let values = Values::Number(values, unit);
    Attribute {
        name,
        values,
        in_title: false,
    }
}

const fn flag(name: &'static str) -> Attribute {
    Attribute {
        name,
        values: Values::Flag,
        in_title: false,
    }
}

impl Attribute {
    const fn titled(self) -> Self {
        Attribute {
            in_title: true,
            ..self
        }
    }
}

const fn kind(
    name: &'static str,
    categories: &'static str,
    dollars: (u32, u32),
    attributes: &'static [Attribute],
    pitch: &'static str,
) -> Kind {
    Kind {
        name,
        categories,
        dollars,
        attributes,
        pitch,
    }
}

const WIRELESS: &[&str] = &["USB cable", "2.4 GHz wireless", "Bluetooth"];
const LENGTHS: &[f64] = &[0.5, 1.0, 1.8, 2.0, 3.0, 5.0];
const DIAGONALS: &[f64] = &[13.3, 14.0, 15.6, 16.0, 17.3];

// One kind is read as one paragraph.
#[rustfmt::skip]
pub(super) static KINDS: [Kind; 32] = [
    kind("Gaming Mouse", "Gaming > Mice", (25, 140), &[
        number("resolution_dpi", &[8000.0, 12000.0, 16000.0, 26000.0], "dpi").titled(), text("connection", WIRELESS).titled(),
        number("programmable_buttons", &[5.0, 6.0, 8.0, 11.0], "buttons"), flag("rgb_lighting"),
    ], "Made for quick hands: a {resolution_dpi} sensor and {programmable_buttons} to set as you like."),
    kind("Office Mouse", "Computers > Mice", (9, 60), &[
        number("resolution_dpi", &[1000.0, 1600.0, 2400.0], "dpi"), text("connection", WIRELESS).titled(), flag("silent_clicks"), flag("left_handed"),
    ], "A quiet companion for long days at the desk, connected by {connection}."),
    kind("Mechanical Keyboard", "Gaming > Keyboards", (59, 220), &[
        text("switches", &["linear red switches", "tactile brown switches", "clicky blue switches"]).titled(),
        text("keyboard_layout", &["US", "UK", "German", "French"]), text("size", &["full size", "tenkeyless", "65 %"]).titled(), flag("hot_swappable"),
    ], "Every key press is felt: {switches} in a {size} frame."),
    kind("Wireless Keyboard", "Computers > Keyboards", (19, 110), &[
        text("keyboard_layout", &["US", "UK", "German", "French", "Spanish"]).titled(), number("battery_months", &[6.0, 12.0, 24.0, 36.0], "months"), flag("numeric_pad"),
    ], "Types without a cable, for {battery_months} on one set of batteries."),
    kind("Notebook", "Computers > Notebooks", (399, 2600), &[
        number("display_inches", DIAGONALS, "inch").titled(), number("memory_gb", &[8.0, 16.0, 32.0, 64.0], "GB RAM").titled(),
        number("storage_gb", &[256.0, 512.0, 1000.0, 2000.0], "GB SSD").titled(), text("processor", &["6-core processor", "8-core processor", "12-core processor"]), number("weight_kg", &[1.1, 1.4, 1.9, 2.4], "kg"),
    ], "A {processor} with {memory_gb} carries you through the day, in {weight_kg}."),
    kind("Gaming Notebook", "Gaming > Notebooks", (899, 3900), &[
        number("display_inches", &[15.6, 16.0, 17.3, 18.0], "inch").titled(), number("refresh_hz", &[144.0, 165.0, 240.0], "Hz").titled(),
        number("memory_gb", &[16.0, 32.0, 64.0], "GB RAM").titled(), text("graphics", &["8 GB graphics", "12 GB graphics", "16 GB graphics"]),
    ], "{graphics} and a {refresh_hz} panel leave no frame behind."),
    kind("Laptop Sleeve", "Accessories > Bags and Sleeves", (12, 65), &[
        number("fits_inches", DIAGONALS, "inch").titled(), text("material", &["neoprene", "felt", "recycled nylon", "leather"]).titled(), flag("water_repellent"),
    ], "Soft {material} guards notebooks of up to {fits_inches} against scratches and bumps."),
    kind("Notebook Backpack", "Accessories > Bags and Sleeves", (29, 160), &[
        number("fits_inches", DIAGONALS, "inch").titled(), number("volume_litres", &[16.0, 20.0, 25.0, 30.0], "litres").titled(), text("material", &["polyester", "recycled nylon", "canvas"]), flag("usb_charging_port"),
    ], "Room for {volume_litres} of work and a padded place for a {fits_inches} notebook."),
    kind("USB-C Cable", "Cables > USB", (6, 39), &[
        number("length_m", LENGTHS, "m").titled(), number("power_w", &[60.0, 100.0, 240.0], "W").titled(), number("speed_gbps", &[0.48, 10.0, 20.0, 40.0], "Gbit/s"), text("jacket", &["braided nylon", "silicone", "PVC"]),
    ], "Charges with {power_w} and moves data at {speed_gbps} through {jacket}."),
    kind("HDMI Cable", "Cables > Video", (7, 69), &[
        number("length_m", &[1.0, 2.0, 3.0, 5.0, 10.0], "m").titled(), text("resolution", &["4K 60 Hz", "8K 60 Hz"]).titled(), flag("gold_plated"),
    ], "A clean {resolution} picture over {length_m}."),
    kind("Network Cable", "Cables > Network", (4, 45), &[
        number("length_m", &[0.5, 1.0, 3.0, 10.0, 20.0], "m").titled(), text("cable_category", &["Cat 6", "Cat 6A", "Cat 8"]).titled(), text("shielding", &["U/UTP", "S/FTP"]),
    ], "{cable_category} patch cable with snagless plugs and {shielding} shielding."),
    kind("Monitor", "Displays > Monitors", (119, 1100), &[
        number("display_inches", &[23.8, 27.0, 31.5, 34.0], "inch").titled(), text("resolution", &["Full HD", "QHD", "4K UHD"]).titled(), number("refresh_hz", &[60.0, 75.0, 100.0], "Hz"), text("panel", &["IPS", "VA"]), flag("height_adjustable"),
    ], "A {panel} panel with {resolution} resolution that is easy on the eyes."),
    kind("Gaming Monitor", "Gaming > Monitors", (179, 1500), &[
        number("display_inches", &[24.5, 27.0, 31.5, 49.0], "inch").titled(), number("refresh_hz", &[165.0, 240.0, 360.0], "Hz").titled(), text("resolution", &["Full HD", "QHD", "4K UHD"]).titled(), flag("curved"),
    ], "{refresh_hz} on {display_inches}: see them before they see you."),
    kind("Webcam", "Computers > Webcams", (25, 230), &[
        text("resolution", &["Full HD", "QHD", "4K"]).titled(), number("field_of_view_degrees", &[65.0, 78.0, 90.0, 105.0], "degrees"), flag("privacy_shutter"), flag("autofocus"),
    ], "Sharp {resolution} video with a view of {field_of_view_degrees}, in poor light too."),
    kind("Headset", "Audio > Headsets", (29, 260), &[
        text("connection", WIRELESS).titled(), number("battery_hours", &[18.0, 30.0, 50.0, 70.0], "hours"), flag("noise_cancelling"), text("microphone", &["boom microphone", "retractable microphone"]),
    ], "Calls stay clear with its {microphone}, for {battery_hours} at a time."),
    kind("Over-Ear Headphones", "Audio > Headphones", (39, 420), &[
        text("connection", &["Bluetooth", "3.5 mm cable"]).titled(), number("battery_hours", &[20.0, 35.0, 60.0], "hours"), flag("noise_cancelling"), flag("foldable"),
    ], "Big soft cushions and {battery_hours} of music."),
    kind("Earbuds", "Audio > Headphones", (19, 280), &[
        text("fit", &["in-ear", "open-ear"]).titled(), number("battery_hours", &[5.0, 7.0, 9.0], "hours"), text("protection", &["IPX4", "IP55", "IP57"]).titled(), flag("noise_cancelling"),
    ], "{protection} against rain and sweat, {battery_hours} on one charge."),
    kind("Bluetooth Speaker", "Audio > Speakers", (24, 350), &[
        number("power_w", &[5.0, 10.0, 20.0, 40.0], "W").titled(), text("protection", &["IPX5", "IPX7", "IP67"]).titled(), number("battery_hours", &[8.0, 12.0, 20.0], "hours"), flag("stereo_pairing"),
    ], "{power_w} of sound that goes to the beach with you."),
    kind("Solid State Drive", "Storage > SSDs", (39, 620), &[
        number("storage_gb", &[500.0, 1000.0, 2000.0, 4000.0], "GB").titled(), text("interface", &["M.2 NVMe PCIe 4.0", "M.2 NVMe PCIe 5.0", "2.5 inch SATA"]).titled(), number("read_mb_per_s", &[560.0, 5000.0, 7400.0, 12400.0], "MB/s"),
    ], "Starts everything sooner: reads at up to {read_mb_per_s} over {interface}."),
    kind("External Hard Drive", "Storage > External Drives", (59, 260), &[
        number("storage_gb", &[1000.0, 2000.0, 4000.0, 5000.0], "GB").titled(), text("interface", &["USB 3.2", "USB-C"]).titled(), flag("encryption"), flag("shockproof"),
    ], "{storage_gb} for backups and holidays, connected by {interface}."),
    kind("USB Flash Drive", "Storage > Flash", (6, 90), &[
        number("storage_gb", &[32.0, 64.0, 128.0, 256.0, 512.0], "GB").titled(), text("interface", &["USB-A 3.2", "USB-C 3.2"]).titled(), flag("keyring"),
    ], "{storage_gb} in a pocket, with a {interface} plug."),
    kind("microSD Card", "Storage > Flash", (8, 160), &[
        number("storage_gb", &[64.0, 128.0, 256.0, 512.0, 1000.0], "GB").titled(), text("speed_class", &["V10", "V30", "V60"]).titled(), flag("adapter_included"),
    ], "Speed class {speed_class} keeps up with drones, cameras and consoles."),
    kind("Memory Module", "Components > Memory", (29, 320), &[
        number("memory_gb", &[8.0, 16.0, 32.0, 48.0], "GB").titled(), text("memory_type", &["DDR4-3200", "DDR5-5600", "DDR5-6400"]).titled(), text("form_factor", &["DIMM", "SO-DIMM"]).titled(), flag("ecc"),
    ], "{memory_gb} of {memory_type} as {form_factor}, tested one by one."),
    kind("Graphics Card", "Components > Graphics Cards", (189, 1900), &[
        number("memory_gb", &[8.0, 12.0, 16.0, 24.0], "GB").titled(), number("power_w", &[115.0, 160.0, 220.0, 320.0], "W"), number("fans", &[1.0, 2.0, 3.0], "fans"), flag("ray_tracing"),
    ], "{memory_gb} of fast memory, kept cool by {fans}."),
    kind("Power Supply", "Components > Power Supplies", (49, 290), &[
        number("power_w", &[450.0, 550.0, 650.0, 850.0, 1000.0], "W").titled(), text("efficiency", &["80 Plus Bronze", "80 Plus Gold", "80 Plus Platinum"]).titled(), flag("modular"),
    ], "{efficiency} efficiency at {power_w}, nearly silent at half load."),
    kind("USB-C Charger", "Power > Chargers", (15, 120), &[
        number("power_w", &[20.0, 30.0, 45.0, 65.0, 100.0], "W").titled(), number("ports", &[1.0, 2.0, 3.0, 4.0], "ports"), text("plug", &["EU plug", "UK plug", "US plug"]), flag("gallium_nitride"),
    ], "{power_w} from a charger that fits the palm, with {ports}."),
    kind("Power Bank", "Power > Power Banks", (19, 150), &[
        number("capacity_mah", &[5000.0, 10000.0, 20000.0, 27000.0], "mAh").titled(), number("power_w", &[18.0, 30.0, 65.0, 100.0], "W").titled(), flag("wireless_charging"),
    ], "{capacity_mah} for the way home, given out at up to {power_w}."),
    kind("Docking Station", "Accessories > Docks and Hubs", (89, 390), &[
        number("ports", &[7.0, 9.0, 12.0, 14.0], "ports").titled(), number("displays", &[1.0, 2.0, 3.0], "displays"), number("power_w", &[60.0, 85.0, 100.0], "W"), flag("ethernet"),
    ], "One cable, {ports}: up to {displays} and {power_w} back to the notebook."),
    kind("Wireless Router", "Network > Routers", (39, 480), &[
        text("wifi_standard", &["Wi-Fi 6", "Wi-Fi 6E", "Wi-Fi 7"]).titled(), number("ethernet_ports", &[3.0, 4.0, 5.0], "Ethernet ports"), flag("mesh"), flag("guest_network"),
    ], "{wifi_standard} up to the last room, and {ethernet_ports} for the rest."),
    kind("Network Switch", "Network > Switches", (19, 540), &[
        number("ethernet_ports", &[5.0, 8.0, 16.0, 24.0, 48.0], "ports").titled(), text("speed", &["1 Gbit/s", "2.5 Gbit/s", "10 Gbit/s"]).titled(), flag("managed"), flag("power_over_ethernet"),
    ], "{ethernet_ports} at {speed} in a fanless metal case."),
    kind("Laser Printer", "Printers > Laser Printers", (99, 640), &[
        text("printing", &["monochrome", "colour"]).titled(), number("pages_per_minute", &[20.0, 28.0, 34.0, 47.0], "pages a minute"), flag("duplex"), flag("scanner"), flag("wifi"),
    ], "Prints {pages_per_minute} in {printing}, the first one after seven seconds."),
    kind("Toner Cartridge", "Printers > Supplies", (19, 210), &[
        text("toner_colour", &["black", "cyan", "magenta", "yellow"]).titled(), number("page_yield", &[1200.0, 2300.0, 5000.0, 10000.0], "pages").titled(), flag("original"),
    ], "Lasts for {page_yield} of crisp {toner_colour}."),
];
