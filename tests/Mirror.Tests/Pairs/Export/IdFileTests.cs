using System.Globalization;
using Mirror.Pairs.Export;
using Mirror.Tests.TestSupport;
using NUnit.Framework;

namespace Mirror.Tests.Pairs.Export;

/// <summary>Ids of openMVG and AliceVision, and what is refused.</summary>
public sealed class IdFileTests
{
    private TempFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = Paths.NewTempFolder();

    [TearDown]
    public void Clean() => folder.Dispose();

    [Test]
    public void Read_OpenMvg_IdsComeFromTheFileNotItsOrder()
    {
        var coverage = Read(IdSource.OpenMvg, OpenMvg("0.3", ("cam1", "103.jpg", 0), ("cam0/", "002.jpg", 2), ("", "over.jpg", 1), ("", "strange.jpg", 3)));
        Assert.That(coverage.Ids, Is.EqualTo(new uint?[] { null, 2, null, null, 0, 1 }));
        Assert.That((coverage.Views, coverage.Strange), Is.EqualTo((4, 1)));
    }

    [Test]
    public void Read_AliceVision_PathsAreMatchedByTheirLongestEnd()
    {
        var coverage = Read(
            IdSource.AliceVision,
            """{"version": ["1","2","9"], "views": [{"viewId": "4294967294", "path": "C:\\survey\\cam0\\001.jpg"}, {"viewId": 7, "path": "/data/over.jpg"}]}""");
        Assert.That(coverage.Ids, Is.EqualTo(new uint?[] { 4294967294, null, null, null, null, 7 }));
    }

    [TestCase("0.9", "sfm_data_version 0.9, known are 0.2 and 0.3")]
    public void Read_OpenMvgOfAnUnknownVersion_IsRefused(string version, string message) => Refused(IdSource.OpenMvg, OpenMvg(version), message);

    [TestCase("""{"version": ["2","0","0"], "views": []}""", "version 2.0.0, known are 1.0 to 1.2")]
    [TestCase("""{"version": ["1","3","0"], "views": []}""", "version 1.3.0, known are 1.0 to 1.2")]
    [TestCase("""{"views": []}""", "has no version")]
    [TestCase("""{"version": ["1","2","0"]}""", "has no views")]
    [TestCase("""{"version": ["1","2","0"], "views": [{"viewId": "-1", "path": "over.jpg"}]}""", "has no viewId of over.jpg")]
    [TestCase("""{"version": ["1","2","0"], "views": [{"viewId": "1", "path": "x/over.jpg"}, {"viewId": "2", "path": "y/over.jpg"}]}""", "1 of its photographs could be images that another of them is already ('over.jpg')")]
    [TestCase("""{"version": """, "is no JSON")]
    [TestCase("[]", "has no version")]
    public void Read_AliceVisionThatIsNone_IsRefused(string json, string message) => Refused(IdSource.AliceVision, json, message);

    [Test]
    public void Read_OpenMvgIndexBeyondTheViews_IsRefused() =>
        Refused(IdSource.OpenMvg, OpenMvg("0.3", ("", "over.jpg", 4)), "1 of 1 views have an id_view that openMVG's list of pairs cannot hold, 1 or more ('/photos/over.jpg')");

    [Test]
    public void Write_IdsThatDoNotCoverThePairs_AreRefusedWithCountAndExamples()
    {
        var path = folder.File("pairs.txt");
        var export = new PairExport(SmallSurvey.Table()) { Ids = [null, 1, null, null, null, null] };
        Assert.That(
            () => PairExporters.Write("openmvg", path, export),
            Throws.InstanceOf<InvalidDataException>().With.Message.StartsWith("the id file does not cover the images: 4 of 5 have no id in it ('cam0/001.jpg', 'cam1/101.jpg', 'cam1/102_é.jpg', ...)"));
        Assert.That(path, Does.Not.Exist);
        Assert.That(() => PairExporters.Write("openmvg", path, new PairExport(SmallSurvey.Table())), Throws.ArgumentException.With.Message.Contains("sfm_data.json with --ids"));
    }

    private static string OpenMvg(string version, params (string Folder, string Name, int Id)[] views) =>
        $$"""{"sfm_data_version": "{{version}}", "root_path": "/photos", "views": [{{string.Join(", ", views.Select(view => View(view.Folder, view.Name, view.Id)))}}], "intrinsics": [], "extrinsics": []}""";

    private static string View(string folder, string name, int id) =>
        """{"key": 99, "value": {"polymorphic_id": 1073741824, "ptr_wrapper": {"id": 2147483649, "data": {"local_path": "FOLDER", "filename": "NAME", "width": 4, "height": 3, "id_view": ID, "id_pose": 0}}}}"""
            .Replace("FOLDER", folder, StringComparison.Ordinal)
            .Replace("NAME", name, StringComparison.Ordinal)
            .Replace("\"id_view\": ID", $"\"id_view\": {id.ToString(CultureInfo.InvariantCulture)}", StringComparison.Ordinal);

    private IdCoverage Read(IdSource source, string json)
    {
        File.WriteAllText(folder.File("ids.json"), json);
        return IdFile.Read(folder.File("ids.json"), source, SmallSurvey.Names);
    }

    private void Refused(IdSource source, string json, string message) =>
        Assert.That(() => Read(source, json), Throws.InstanceOf<InvalidDataException>().With.Message.Contains(message).And.Message.Contains("ids.json"));
}
