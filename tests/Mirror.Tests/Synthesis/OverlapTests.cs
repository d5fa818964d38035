// The geometry behind the ground truth, on cameras whose overlap can be worked out by hand.

using System.Numerics;
using Mirror.Synthesis;
using NUnit.Framework;

namespace Mirror.Tests.Synthesis;

/// <summary>Overlaps of cameras whose answer is known without a renderer.</summary>
public sealed class OverlapTests
{
    private static readonly Scene[] Scenes = [Scene.Create(0, 4, 5), Scene.Create(1, 4, 5), Scene.Create(2, 4, 5)];

    [Test]
    public void Ratio_OfAViewWithItself_IsOne([Values(0, 1, 2)] int scene)
    {
        Camera camera = Scenes[scene].CameraOf(0, new Rng(1, 1), 320, 240);
        Assert.That(Between(Scenes[scene], camera, camera), Is.EqualTo(1f).Within(2f / 1600), "two of 1600 points may graze a leaf");
    }

    [Test]
    public void Ratio_OfViewsFarApart_IsZero([Values(0, 2)] int scene) =>
        Assert.That(Between(Scenes[scene], Nadir(-90), Nadir(90)), Is.Zero);

    [Test]
    public void Ratio_WithGrowingBaseline_Falls([Values(0, 2)] int scene)
    {
        float before = 1;
        foreach (float baseline in (ReadOnlySpan<float>)[5, 15, 30, 45])
        {
            float forth = Between(Scenes[scene], Nadir(0), Nadir(baseline));
            float back = Between(Scenes[scene], Nadir(baseline), Nadir(0));
            Assert.That(forth, Is.LessThan(before).And.GreaterThan(0), $"{baseline} m");
            Assert.That(forth, Is.EqualTo(back).Within(0.12f), $"{baseline} m: equal heights see about equal parts");
            before = forth;
        }
    }

    [Test]
    public void Ratio_OfAShiftOverTheGround_IsTheSharedPartOfTheFrame()
    {
        // At 60 m a frame is 2 * 60 * tan(0.55) = 73.6 m wide; relief and houses of a village move that by a few percent.
        float ratio = Between(Scenes[0], Nadir(0), Nadir(20));
        Assert.That(ratio, Is.EqualTo(1 - (20 / 73.6f)).Within(0.08f));
    }

    [Test]
    public void Ratio_OfAWideAndANarrowView_IsAsymmetric()
    {
        Camera wide = Nadir(0);
        var narrow = new Camera(new Vector3(0, 0, 60), -Vector3.UnitZ, Vector3.UnitY, 0.5f, 320, 240);
        Assert.That(Between(Scenes[0], narrow, wide), Is.GreaterThan(0.98f));
        Assert.That(Between(Scenes[0], wide, narrow), Is.LessThan(0.3f));
    }

    [Test]
    public void Sees_PointOfARay_IsInTheFrameOnlyForPixelsInTheFrame()
    {
        var camera = new Camera(new Vector3(3, -4, 50), new Vector3(0.2f, 0.3f, -1), Vector3.UnitY, 1.1f, 320, 240);
        Assert.Multiple(() =>
        {
            Assert.That(camera.Sees(camera.RayAt(1, 1).At(40)), Is.True);
            Assert.That(camera.Sees(camera.RayAt(319, 239).At(40)), Is.True);
            Assert.That(camera.Sees(camera.RayAt(-1, 120).At(40)), Is.False);
            Assert.That(camera.Sees(camera.RayAt(160, 241).At(40)), Is.False);
            Assert.That(camera.Sees(camera.RayAt(160, 120).At(-40)), Is.False);
        });
    }

    [Test]
    public void Trace_OfTheGround_EndsOnIt()
    {
        var terrain = new Terrain(100, p => 5 * MathF.Sin(p.X / 9) * MathF.Cos(p.Y / 7));
        var random = new Rng(3, 3);
        for (int i = 0; i < 500; i++)
        {
            var origin = new Vector3(random.Uniform(-50, 50), random.Uniform(-50, 50), random.Uniform(6, 60));
            var ray = new Ray(origin, Vector3.Normalize(new Vector3(random.Uniform(-1, 1), random.Uniform(-1, 1), random.Uniform(-1, -0.2f))));
            Assert.That(terrain.Trace(ray, 1000, out Hit hit), Is.True);
            Vector3 point = ray.At(hit.Distance);
            Assert.That(point.Z, Is.EqualTo(terrain.Height(point.X, point.Y)).Within(0.02f));
        }
    }

    private static Camera Nadir(float x) => new(new Vector3(x, 0, 60), -Vector3.UnitZ, Vector3.UnitY, 1.1f, 320, 240);

    private static float Between(Scene scene, Camera from, Camera to) =>
        Overlap.Ratio(scene, Overlap.Points(scene, from), from, to);
}
